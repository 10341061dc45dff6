import Contract

/// What a sink reads and how it works.
public struct SinkOptions: Sendable {
  /// The channel, for metrics and messages.
  public var channel: Channel
  /// The delivery topic, such as `tidings.delivery.email`.
  public var topic: String
  /// Where records go that cannot be delivered; by default the topic's name with `.dead-letter`.
  public var deadLetterTopic: String
  /// The consumer group, such as `tidings-email`.
  public var group: String
  /// The `group.instance.id` for static membership; nil for a dynamic member.
  public var instance: String?
  /// How many deliveries are in progress at once, each of another recipient; at least 1.
  public var concurrency: Int
  /// Attempts and waits of a delivery that is refused for now.
  public var retry: RetryPolicy
  /// Waits while nothing can be handed over. The number of attempts is not bounded.
  public var outage: RetryPolicy
  /// How often progress is committed. What was handed over since the last commit comes again after a crash.
  public var commitInterval: Duration
  /// How many records are held at most beside those in progress; then reading pauses.
  public var recordLimit: Int
  /// How many bytes of records are held at most; then reading pauses.
  public var byteLimit: Int
  /// How long a revoke or the end waits for deliveries in progress. Must end well within the group's patience
  /// (`max.poll.interval.ms`, 5 min), and where the process is given a time to end in, within that.
  public var drainTimeout: Duration
  /// How long the end waits for the sink to be closed, after the drain.
  public var closePatience: Duration

  /// Options with the usual values.
  public init(
    channel: Channel, topic: String, deadLetterTopic: String? = nil, group: String, instance: String? = nil,
    concurrency: Int = 16, retry: RetryPolicy = RetryPolicy(), outage: RetryPolicy = RetryPolicy(),
    commitInterval: Duration = .milliseconds(200), recordLimit: Int = 5000, byteLimit: Int = 64 << 20,
    drainTimeout: Duration = .seconds(20), closePatience: Duration = .seconds(3)
  ) {
    self.channel = channel
    self.topic = topic
    self.deadLetterTopic = deadLetterTopic ?? "\(topic).dead-letter"
    self.group = group
    self.instance = instance
    self.concurrency = max(1, concurrency)
    self.retry = retry
    self.outage = outage
    self.commitInterval = commitInterval
    self.recordLimit = max(1, recordLimit)
    self.byteLimit = max(1, byteLimit)
    self.drainTimeout = drainTimeout
    self.closePatience = closePatience
  }
}
