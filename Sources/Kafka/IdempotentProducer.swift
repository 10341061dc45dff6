/// Where the broker put a record.
public struct RecordMetadata: Hashable, Sendable {
  /// The partition.
  public let partition: Int32
  /// The offset.
  public let offset: Int64
  /// The broker's clock when it appended the record, in milliseconds since the epoch; nil where the topic keeps the
  /// producer's time (`message.timestamp.type=CreateTime`).
  public let appendedMilliseconds: Int64?

  /// A place in a topic.
  public init(partition: Int32, offset: Int64, appendedMilliseconds: Int64? = nil) {
    self.partition = partition
    self.offset = offset
    self.appendedMilliseconds = appendedMilliseconds
  }
}

/// A producer outside of transactions: each record once and in order, as long as the producer lives (KIP-98's
/// idempotence). Any thread may call it; it serves its delivery reports by itself.
public protocol IdempotentProducer: AnyObject, Sendable {
  /// Queues a copy of a record. `onDelivery` is called exactly once, on a thread of the producer's or on one that
  /// flushes it, unless this throws. It must not wait.
  ///
  /// - Throws: ``KafkaError/Code/queueFull`` as back-pressure (retriable), ``KafkaError/Code/messageTooLarge``,
  ///   ``KafkaError/Code/closed``.
  func produce(
    _ record: OutgoingRecord, onDelivery: @escaping @Sendable (Result<RecordMetadata, KafkaError>) -> Void
  ) throws(KafkaError)

  /// Waits until everything queued before has its delivery report.
  ///
  /// - Throws: ``KafkaError/Code/timedOut`` with the number of records that have none.
  func flush(timeout: Duration) throws(KafkaError)

  /// Ends the producer: what has no report gets ``KafkaError/Code/purgedFromQueue`` or
  /// ``KafkaError/Code/purgedInFlight``. Flush before, to lose nothing. A second call does nothing.
  func close()
}

extension IdempotentProducer {
  /// Produces a record and waits until the broker has it. A full queue is waited out.
  ///
  /// - Throws: what the delivery report says; ``KafkaError/Code/queueFull`` when the task is cancelled while the queue
  ///   is full.
  public func send(_ record: ProducerRecord) async throws(KafkaError) -> RecordMetadata {
    while true {
      let result: Result<RecordMetadata, KafkaError> = await withCheckedContinuation { continuation in
        do throws(KafkaError) {
          try record.withViews { (views) throws(KafkaError) in
            try produce(views) { continuation.resume(returning: $0) }
          }
        } catch {
          continuation.resume(returning: .failure(error))
        }
      }
      guard case .failure(let error) = result, error.code == .queueFull else { return try result.get() }
      do {
        try await Task.sleep(for: .milliseconds(5))
      } catch {
        return try result.get()
      }
    }
  }
}

/// How an idempotent producer is made.
public struct IdempotentProducerOptions: Sendable {
  /// The topics that it produces to; `topicIndex` counts in here.
  public var topics: [String]
  /// The largest record in bytes: key, value and headers together (`message.max.bytes`).
  public var messageMaxBytes: Int
  /// How long a record waits for others to share its batch (`linger.ms`).
  public var linger: Duration

  /// A producer's options; records of 256 + 64 KiB by default.
  public init(topics: [String], messageMaxBytes: Int = 320 * 1024, linger: Duration = .milliseconds(2)) {
    self.topics = topics
    self.messageMaxBytes = messageMaxBytes
    self.linger = linger
  }
}
