import Contract
import Kafka

/// Follows deliveries of one channel: their records, how far the sink is, and what it gave up.
struct DeliveryTrace {
  private let topics: AuditTopics
  private let scan: PartitionScan
  private let channel: Channel

  init(_ topics: AuditTopics, _ scan: PartitionScan, _ channel: Channel) {
    self.topics = topics
    self.scan = scan
    self.channel = channel
  }

  /// - Parameters:
  ///   - wanted: the deliveries' ids.
  ///   - from: where to begin in a topic.
  func read(
    _ wanted: Set<String>, key: String, _ home: Int32, from: (String, OffsetRange) throws -> Int64
  ) throws -> [String: RecipientAccount.Delivery] {
    let topic = topics.delivery(channel)
    let range = try scan.range(of: topic, home)
    let start = try from(topic, range)
    var found: [String: RecipientAccount.Delivery] = [:]
    var decoder = try DeliveryDecoder()
    try scan.read(topic, [PartitionSpan(partition: home, from: start, to: range.latest)]) { record in
      guard let recordKey = record.key, key.withByteView({ $0 == recordKey }),
        let delivery = try? decoder.decode(record.value), wanted.contains(delivery.id),
        found[delivery.id] == nil
      else { return }
      found[delivery.id] = RecipientAccount.Delivery(
        id: delivery.id,
        at: RecipientAccount.Place(topic: topic, partition: home, offset: record.offset),
        appended: Instant(record.timestampMilliseconds), kind: delivery.kind.literal.description,
        address: delivery.address, recipientRecord: delivery.recipientRecord, events: delivery.totalEvents,
        handOver: .unknown)
    }
    guard !found.isEmpty else { return found }
    try fillHandOver(&found, home)
    try fillDeadLetters(&found, key, from: from)
    return found
  }

  private func fillHandOver(_ found: inout [String: RecipientAccount.Delivery], _ home: Int32) throws {
    let committed = try Patience.retry(scan.patience) { () throws(KafkaError) in
      try scan.cluster.admin.committedOffsets(ofGroup: topics.sinkGroup(channel), timeout: .seconds(10))
    }
    let place = TopicPartition(topic: topics.delivery(channel), partition: home)
    guard let position = committed.first(where: { $0.topicPartition == place })?.offset else { return }
    for (id, delivery) in found {
      found[id]?.handOver = delivery.at.offset < position ? .done : .waiting
    }
  }

  /// Dead letters have the key of their delivery, and so its partition.
  private func fillDeadLetters(
    _ found: inout [String: RecipientAccount.Delivery], _ key: String,
    from: (String, OffsetRange) throws -> Int64
  ) throws {
    let topic = topics.deadLetters(channel)
    let known = try Patience.retry(scan.patience) { () throws(KafkaError) in
      try scan.cluster.admin.topics(timeout: .seconds(5))
    }
    guard let count = known.first(where: { $0.name == topic })?.partitionCount else { return }
    let partition = key.withByteView { Murmur2.partition(ofKey: $0, count: Int32(clamping: count)) }
    let range = try scan.range(of: topic, partition)
    let start = try from(topic, range)
    let byOffset = Dictionary(found.values.map { ($0.at.offset, $0.id) }) { first, _ in first }
    try scan.read(topic, [PartitionSpan(partition: partition, from: start, to: range.latest)]) { record in
      guard let source = record.source, source.topic == topics.delivery(channel),
        let id = byOffset[source.offset], found[id]?.at.partition == source.partition
      else { return }
      found[id]?.deadLetter = RecipientAccount.DeadLetter(
        at: RecipientAccount.Place(topic: topic, partition: partition, offset: record.offset),
        time: Instant(record.timestampMilliseconds), reason: record.headerText("tidings-reason") ?? "",
        detail: record.headerText("tidings-detail") ?? "",
        attempts: record.headerText("tidings-attempts").flatMap { Int($0) } ?? 0)
    }
  }
}
