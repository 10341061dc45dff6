import CLibrdkafka

/// Makes a consumer fetch more as soon as what it has fetched runs low.
///
/// librdkafka stops to fetch when as many messages or bytes wait as `queued.min.messages` and
/// `queued.max.messages.kbytes` say, and looks again a second later, however soon they are taken: a quick reader waits
/// for most of that second. A request to a broker wakes the thread that fetches from it. This one asks for the ends of
/// the partitions, and nobody waits for the answer. Since 2.2 there is a property in place of it (``ClientFactory``).
final class FetchReminder {
  private let client: OpaquePointer
  private let queue: OpaquePointer
  private let messageLimit: Int
  private let byteLimit: Int
  private var partitions: PartitionList?
  /// What may be taken before it is worth while to look again.
  private var messagesLeft: Int
  private var bytesLeft: Int
  /// Whether what waits may be outdated: such messages are dropped unseen when their turn comes.
  private var mayBeOutdated = false

  /// Whether the library knows no `fetch.queue.backoff.ms`, which came with 2.2.0.
  static var isNeeded: Bool { rd_kafka_version() < 0x0202_0000 }

  /// - Returns: nil where it is not needed, a client has no queue of its own, or no bound of it can be read.
  init?(client: OpaquePointer) {
    guard Self.isNeeded, let messages = Self.number("queued.min.messages", of: client),
      let kilobytes = Self.number("queued.max.messages.kbytes", of: client),
      let queue = rd_kafka_queue_get_consumer(client)
    else { return nil }
    self.client = client
    self.queue = queue
    (messageLimit, byteLimit) = (messages, kilobytes * 1024)
    (messagesLeft, bytesLeft) = (messageLimit / 2, byteLimit / 2)
  }

  deinit { rd_kafka_queue_destroy(queue) }

  /// The partitions that are fetched from here on.
  func assigned(_ partitions: [TopicPartition]) {
    mayBeOutdated = true
    // A list without entries is refused.
    self.partitions =
      partitions.isEmpty ? nil : PartitionList(partitions.map { PartitionOffset($0, offset: -1) })
  }

  /// Partitions were paused, resumed or sought in.
  func flowChanged() { mayBeOutdated = true }

  /// A record, of so many bytes, or an event was taken from the queue.
  func took(bytes: Int) {
    messagesLeft -= 1
    bytesLeft -= bytes
    if messagesLeft <= 0 || bytesLeft <= 0 { glance() }
  }

  /// Nothing is left in the queue.
  func foundNothing() {
    guard mayBeOutdated else { return }
    mayBeOutdated = false
    remind()
  }

  /// As soon as no more than half of what may wait is left, and as much was taken since the last reminder, there is
  /// another one.
  private func glance() {
    let (left, half) = (rd_kafka_queue_length(queue), messageLimit / 2)
    bytesLeft = byteLimit / 2
    guard left <= half else {
      // No more than half, since some of what waits may be dropped unseen.
      messagesLeft = max(1, min(left - half, half))
      return
    }
    messagesLeft = half
    remind()
  }

  private func remind() {
    // With a time-out of 0 the requests are on their way when it returns, and it says that it timed out.
    if let list = partitions?.pointer { rd_kafka_offsets_for_times(client, list, 0) }
  }

  private static func number(_ property: String, of client: OpaquePointer) -> Int? {
    withUnsafeTemporaryAllocation(of: CChar.self, capacity: 64) { buffer in
      var size = buffer.count
      guard rd_kafka_conf_get(rd_kafka_conf(client), property, buffer.baseAddress, &size) == RD_KAFKA_CONF_OK,
        let start = buffer.baseAddress
      else { return nil }
      return Int(String(cString: start))
    }
  }
}
