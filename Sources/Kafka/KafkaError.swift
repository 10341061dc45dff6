/// What Kafka or its client refused, with what to do about it.
public struct KafkaError: Error, Hashable, Sendable, CustomStringConvertible {
  /// What has to follow an error (design §5.2).
  public enum Disposition: Sendable {
    /// The client is of no use any more: destroy it.
    case fatal
    /// The transaction is lost: abort it, roll back and begin anew.
    case abort
    /// Nothing happened yet: the same call with the same arguments again.
    case retry
  }

  /// The code: those of the protocol are positive, the client's own (librdkafka's) negative.
  public let code: Code
  /// The name of the code: `UNKNOWN_TOPIC_OR_PART`, `_TIMED_OUT`.
  public let name: String
  /// What happened, and to which topic, partition or property.
  public let message: String
  /// Whether the client has become useless.
  public let isFatal: Bool
  /// Whether the same call may succeed later.
  public let isRetriable: Bool
  /// Whether the current transaction has to be aborted.
  public let requiresAbort: Bool

  /// An error with all that is known about it; `name` is that of the code unless given.
  public init(
    _ code: Code, message: String, name: String? = nil, isFatal: Bool = false, isRetriable: Bool = false,
    requiresAbort: Bool = false
  ) {
    self.code = code
    self.name = name ?? code.name
    self.message = message
    self.isFatal = isFatal
    self.isRetriable = isRetriable
    self.requiresAbort = requiresAbort
  }

  /// What to do, in the order in which it has to be asked: fatal, abortable, retriable, and anything else is fatal.
  public var disposition: Disposition {
    if isFatal { return .fatal }
    if requiresAbort { return .abort }
    if isRetriable { return .retry }
    return .fatal
  }

  /// Whether a younger producer of the same `transactional.id`, or a younger member of the same
  /// `group.instance.id`, took over.
  public var isFenced: Bool {
    [.fenced, .producerFenced, .invalidProducerEpoch, .fencedInstanceID].contains(code)
  }

  /// The message with the name of the code.
  public var description: String { "\(message) (\(name))" }

  /// The same error where it is known that the same call may succeed later.
  var asRetriable: KafkaError { KafkaError(code, message: message, name: name, isRetriable: true) }

  /// The same error where it is known that the current transaction has to be aborted.
  var asAbortable: KafkaError { KafkaError(code, message: message, name: name, requiresAbort: true) }

  /// The same error with what was attempted in front of its message.
  public func during(_ attempt: String) -> KafkaError {
    KafkaError(
      code, message: "\(attempt): \(message)", name: name, isFatal: isFatal, isRetriable: isRetriable,
      requiresAbort: requiresAbort)
  }
}

extension KafkaError {
  /// The number of an error.
  public struct Code: RawRepresentable, Hashable, Sendable {
    /// As in the protocol, or in librdkafka's `rd_kafka_resp_err_t`.
    public let rawValue: Int32

    /// Any code.
    public init(rawValue: Int32) { self.rawValue = rawValue }

    /// No answer within the time given (`_TIMED_OUT`).
    public static let timedOut = Code(rawValue: -185)
    /// The producer's queue is full: serve its delivery reports and produce again (`_QUEUE_FULL`).
    public static let queueFull = Code(rawValue: -184)
    /// A connection failed (`_TRANSPORT`).
    public static let transport = Code(rawValue: -195)
    /// No broker is connected (`_ALL_BROKERS_DOWN`).
    public static let allBrokersDown = Code(rawValue: -187)
    /// An argument or a property is wrong (`_INVALID_ARG`).
    public static let invalidArgument = Code(rawValue: -186)
    /// The client is closed or being closed (`_DESTROY`).
    public static let closed = Code(rawValue: -197)
    /// The call does not fit the state of the client (`_STATE`).
    public static let wrongState = Code(rawValue: -172)
    /// The broker does not know the request (`_UNSUPPORTED_FEATURE`).
    public static let unsupported = Code(rawValue: -165)
    /// A message was dropped from the producer's queue by an abort or a close (`_PURGE_QUEUE`).
    public static let purgedFromQueue = Code(rawValue: -152)
    /// A message was dropped while it was on its way: it may have arrived (`_PURGE_INFLIGHT`).
    public static let purgedInFlight = Code(rawValue: -151)
    /// The position is outside of the log and no reset is allowed (`_AUTO_OFFSET_RESET`).
    public static let noOffset = Code(rawValue: -140)
    /// A younger producer of the same `transactional.id` took over (`_FENCED`).
    public static let fenced = Code(rawValue: -144)
    /// The consumer was not polled for `max.poll.interval.ms` (`_MAX_POLL_EXCEEDED`).
    public static let pollIntervalExceeded = Code(rawValue: -147)
    /// The topic or the partition does not exist in the client's view (`_UNKNOWN_TOPIC`).
    public static let unknownTopicLocally = Code(rawValue: -188)
    /// The partition does not exist in the client's view (`_UNKNOWN_PARTITION`).
    public static let unknownPartitionLocally = Code(rawValue: -190)
    /// The offset is outside of the log.
    public static let offsetOutOfRange = Code(rawValue: 1)
    /// The topic or the partition does not exist on the broker.
    public static let unknownTopicOrPartition = Code(rawValue: 3)
    /// The record is larger than the client's or the topic's limit.
    public static let messageTooLarge = Code(rawValue: 10)
    /// The topic is there already.
    public static let topicAlreadyExists = Code(rawValue: 36)
    /// The producer's epoch is older than the broker's.
    public static let invalidProducerEpoch = Code(rawValue: 47)
    /// The coordinator has no transaction that could be ended so.
    public static let invalidTransactionState = Code(rawValue: 48)
    /// A younger member of the same `group.instance.id` took over.
    public static let fencedInstanceID = Code(rawValue: 82)
    /// An open transaction covers the group's offsets.
    public static let unstableOffsetCommit = Code(rawValue: 88)
    /// A younger producer of the same `transactional.id` took over.
    public static let producerFenced = Code(rawValue: 90)
    /// The group's member is unknown: its session ended.
    public static let unknownMember = Code(rawValue: 25)
    /// The group's generation is not the member's.
    public static let illegalGeneration = Code(rawValue: 22)
    /// The group is about to form a new generation.
    public static let rebalanceInProgress = Code(rawValue: 27)
    /// The group still has members.
    public static let nonEmptyGroup = Code(rawValue: 68)
    /// The group does not exist.
    public static let groupIDNotFound = Code(rawValue: 69)
    /// The partition has nothing more to read (`_PARTITION_EOF`); never thrown.
    static let endOfPartition = Code(rawValue: -191)
  }
}
