import Contract
import Kafka

/// A record as text, to write tests with and to keep what was consumed beyond the next poll.
public struct TextRecord: Equatable, Sendable {
  /// A header as text.
  public struct Header: Equatable, Sendable {
    /// The name.
    public let name: String
    /// The value; nil is Kafka's null.
    public let value: String?

    /// A header.
    public init(_ name: String, _ value: String?) {
      self.name = name
      self.value = value
    }
  }

  /// The index of the topic.
  public var topicIndex: Int
  /// The partition.
  public var partition: Int32?
  /// The key; nil is Kafka's null.
  public var key: String?
  /// The value; nil is Kafka's null.
  public var value: String?
  /// The headers in their order.
  public var headers: [Header]

  /// A record.
  public init(
    topicIndex: Int = 0, partition: Int32? = nil, key: String? = nil, value: String?, headers: [Header] = []
  ) {
    self.topicIndex = topicIndex
    self.partition = partition
    self.key = key
    self.value = value
    self.headers = headers
  }

  /// A copy of a consumed record.
  public init(_ record: ConsumedRecord) {
    self.init(
      topicIndex: record.topicIndex, partition: record.partition, key: record.key?.string,
      value: record.value?.string,
      headers: record.headers.map { Header($0.name.string, $0.value?.string) })
  }

  /// The record with bytes of its own.
  public var producerRecord: ProducerRecord {
    ProducerRecord(
      topicIndex: topicIndex, partition: partition, key: key.map { Array($0.utf8) },
      value: value.map { Array($0.utf8) },
      headers: headers.map { ProducerRecord.Header($0.name, $0.value.map { Array($0.utf8) }) })
  }
}

extension TransactionalProducer {
  /// Produces a record of text.
  public func produce(_ record: TextRecord, tag: UInt64 = 0) throws(KafkaError) {
    try record.producerRecord.withViews { (views) throws(KafkaError) in
      try produce(
        OutgoingRecord(
          topicIndex: views.topicIndex, partition: views.partition, key: views.key, value: views.value,
          headers: views.headers, tag: tag))
    }
  }

  /// Produces a record of text whose value the producer keeps in place of copying it.
  public func produce(kept record: TextRecord, tag: UInt64 = 0) throws(KafkaError) {
    var memory = OutputBuffer()
    memory.append(text: record.value ?? "")
    let value = keep(memory)
    try record.producerRecord.withViews { (views) throws(KafkaError) in
      try produce(
        OutgoingRecord(
          topicIndex: views.topicIndex, partition: views.partition, key: views.key, value: value,
          headers: views.headers, tag: tag, isValueKept: true))
    }
  }

  /// Commits, however many calls it takes.
  public func commitFully(within limit: Duration = .seconds(20)) throws {
    let deadline = Deadline(limit)
    while try commit(timeout: .milliseconds(200)) == .pending {
      try deadline.check("a transaction to be committed")
    }
  }
}
