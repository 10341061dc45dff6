import Contract
import SimulatedKafka

/// A record of a transaction that was committed, as it lies in the log.
struct CommittedRecord {
  /// The topic's name behind the prefix.
  var topic: String
  var partition: Int
  var offset: Int64
  var appended: Int64
  var record: StoredRecord

  func header(_ name: StaticString) -> String? {
    for header in record.headers where header.name.equals(name) { return header.value?.string }
    return nil
  }

  /// Where the record that it was made from was read.
  var origin: (topic: String, partition: Int, offset: Int64)? {
    let topic = header("tidings-origin-topic") ?? header("tidings-topic") ?? ""
    guard
      let partition = (header("tidings-origin-partition") ?? header("tidings-partition")).flatMap(Int.init),
      let offset = (header("tidings-origin-offset") ?? header("tidings-offset")).flatMap(Int64.init)
    else { return nil }
    return (topic, partition, offset)
  }

  var place: String { "\(topic) [\(partition)] at offset \(offset)" }
}

/// A transaction in the instant in which it is decided.
struct CommittedTransaction {
  var transactionalID: String
  /// The true time.
  var time: Int64
  var records: [CommittedRecord]
  /// What the group has committed by it: topic behind the prefix, partition, offset.
  var offsets: [(topic: String, partition: Int, offset: Int64)]
}

/// What one commit did for one home partition, decoded.
struct HomeCommit {
  var home: Int
  var transaction: CommittedTransaction
  var header: StateHeader
  /// The header before; nil for the first one.
  var before: StateHeader?
  var state: CommittedRecord
  /// Deliveries, forwards and rejections of this home in the order in which they were sent, per topic and partition.
  var output: [CommittedRecord] = []
  var decisions: [DecisionRecord] = []
  /// By channel.
  var deliveries: [(record: CommittedRecord, delivery: Delivery)] = []
  var rejected: [CommittedRecord] = []
  /// To other homes, or the own one.
  var routed: [CommittedRecord] = []
  var recipients: [CommittedRecord] = []
  var engagement: [CommittedRecord] = []
  var subscriptions: [CommittedRecord] = []

  var time: Int64 { transaction.time }

  /// The offsets of a topic that this commit consumed.
  func consumed(_ topic: InputFacts.Topic) -> Range<Int64> {
    let end = header.positions[topic.rawValue]
    let start = before?.positions[topic.rawValue] ?? 0
    return min(start, end)..<end
  }

  var place: String {
    "home \(home), state record \(header.sequence) (\(transaction.transactionalID), +\(time % 100_000_000) ms)"
  }
}
