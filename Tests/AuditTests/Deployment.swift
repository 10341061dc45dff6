import Audit
import Contract
import Kafka
import Pipeline
import Policy
import SimulatedKafka

/// A small deployment on a simulated broker: the processor's own state machine decides what was published, and a test
/// may tamper with what it writes.
final class Deployment {
  /// What becomes of a record on its way to the broker.
  enum Fate {
    case written
    case dropped
    case doubled
    case replaced(String)
  }

  static let partitions: Int32 = 2
  static let catalog = """
    unknownTypes: reject
    catchUp:
      email: { after: 1h, overflow: { policy: digest, window: 10s } }
    types:
      card.moved:
        category: cards
        title: "{{actor}} moved a card"
        channels:
          inapp: { policy: immediate }
          email: { policy: digest, window: 10s, items: 3 }
      card.seldom:
        category: seldom
        title: "a card that few touch"
        channels:
          email: { policy: digest, window: 10s, minItems: 3, fewer: single }
      card.due:
        category: due
        title: "a card is due"
        channels:
          email: { policy: immediate }
    """

  let world = SimulatedWorld(seed: 1)
  let reader: SimulatedProcess
  let topics = AuditTopics(prefix: "tidings", partitionCount: Deployment.partitions)
  private var homes: [Home] = []
  /// Decides the fate of a record by its topic, without the prefix, and its value.
  var fate: (_ topic: String, _ value: String) -> Fate = { _, _ in .written }

  /// - Parameter fanOutLimit: how many bytes of one record's forwards a commit holds.
  init(fanOutLimit: Int = 8 << 20) throws {
    reader = world.spawn("reader")
    let names = [
      "events", "routed", "recipients", "subscriptions", "engagement", "state", "decisions", "rejected",
      "delivery.email",
      "delivery.inapp",
      "delivery.email.dead-letter", "delivery.inapp.dead-letter",
    ]
    for name in names {
      world.broker.create(
        NewTopic(
          name: "tidings.\(name)", partitionCount: Int(Self.partitions),
          configuration: ["message.timestamp.type": "LogAppendTime"]))
    }
    for partition in 0..<Self.partitions {
      homes.append(try Home(partition, fanOutLimit: fanOutLimit))
    }
  }

  // MARK: - Publish

  static func home(of key: String) -> Int32 {
    key.withByteView { Murmur2.partition(ofKey: $0, count: partitions) }
  }

  /// Publishes an event in structured mode, to the partition of its first recipient unless given.
  @discardableResult
  func publish(
    _ id: String, type: String = "card.moved", to recipients: String..., extra: String = "",
    partition: Int32? = nil
  ) -> Int64 {
    let name = recipients.count > 1 ? "recipients" : "recipient"
    let value =
      "{\"specversion\":\"1.0\",\"id\":\"\(id)\",\"source\":\"/test\",\"type\":\"\(type)\",\"\(name)\":"
      + "\"\(recipients.joined(separator: ","))\",\"actor\":\"dan\"\(extra),\"data\":{\"n\":1}}"
    return append(
      "events", partition ?? Self.home(of: recipients[0]), value: value,
      headers: ["content-type": "application/cloudevents+json"])
  }

  func publish(recipient key: String, _ json: String?, partition: Int32? = nil) {
    append("recipients", partition ?? Self.home(of: key), key: key, value: json)
  }

  /// Publishes an engagement record that says that an event was seen.
  func publish(seen id: String, by recipient: String, partition: Int32? = nil) {
    append(
      "engagement", partition ?? Self.home(of: recipient), key: recipient,
      value:
        "{\"specversion\":\"1.0\",\"id\":\"seen-\(id)\",\"source\":\"/app\",\"type\":\"tidings.engagement.seen\","
        + "\"recipient\":\"\(recipient)\",\"channel\":\"inapp\","
        + "\"data\":{\"events\":[{\"source\":\"/test\",\"id\":\"\(id)\"}]}}",
      headers: ["content-type": "application/cloudevents+json"])
  }

  @discardableResult
  func append(
    _ topic: String, _ partition: Int32, key: String? = nil, value: String?, headers: [String: String] = [:]
  ) -> Int64 {
    let record = ProducerRecord(
      topicIndex: 0, key: key.map { Array($0.utf8) }, value: value.map { Array($0.utf8) },
      headers: headers.map { ProducerRecord.Header($0.key, $0.value) })
    let offset = try? record.withViews { (views) throws(KafkaError) in
      world.broker.append(views, to: TopicPartition(topic: "tidings.\(topic)", partition: partition))?.offset
    }
    return (offset ?? nil) ?? -1
  }

  // MARK: - Process

  /// Lets time pass, decides all that was published and all that is due, and commits.
  ///
  /// - Parameter rounds: what one home forwards another one decides, so that twice is enough; an event for an audience
  ///   goes home first, and from there to its followers, a few in each round.
  func process(after seconds: Int64 = 0, rounds: Int = 2) throws {
    world.run(until: world.now + seconds * 1000)
    for _ in 0..<rounds { for home in homes { try home.commit(self) } }
  }

  /// Lets all partitions begin anew and read everything again, as `tidings state reset --to-beginning` does.
  func reset() throws { for home in homes { try home.reset(self) } }

  fileprivate func log(_ topic: String, _ partition: Int32) -> PartitionLog? {
    world.broker.log(TopicPartition(topic: "tidings.\(topic)", partition: partition))
  }

  fileprivate func write(
    _ topic: String, _ partition: Int32, key: ByteView?, value: ByteView?,
    headers: UnsafeBufferPointer<HeaderView> = UnsafeBufferPointer(start: nil, count: 0)
  ) {
    let place = TopicPartition(topic: "tidings.\(topic)", partition: partition)
    func write(_ value: ByteView?) {
      world.broker.append(OutgoingRecord(topicIndex: 0, key: key, value: value, headers: headers), to: place)
    }
    switch fate(topic, value?.string ?? "") {
    case .written: write(value)
    case .dropped: break
    case .doubled:
      write(value)
      write(value)
    case .replaced(let text): text.withByteView { write($0) }
    }
  }

  /// Commits an offset for a group, as a sink does.
  func commit(group: String, _ topic: String, _ partition: Int32, offset: Int64) throws {
    let member = try reader.cluster.makeGroupConsumer(
      GroupConsumerOptions(groupID: group, offsetReset: .error))
    try member.commit([
      PartitionOffset(TopicPartition(topic: "tidings.\(topic)", partition: partition), offset: offset)
    ])
  }

  // MARK: - Audit

  func audit(isRecent: Bool = false) throws -> AuditReport {
    try ConservationAudit(cluster: reader.cluster, topics: topics).run(isRecent: isRecent)
  }
}

/// One home partition: what a worker does, without transactions.
private final class Home {
  let partition: Int32
  var pipeline: Pipeline
  var codecs: Codecs

  private let fanOutLimit: Int
  /// The number of the last decision.
  private var decisions: UInt64 = 0

  init(_ partition: Int32, fanOutLimit: Int) throws {
    self.partition = partition
    self.fanOutLimit = fanOutLimit
    codecs = try Codecs(prefix: "tidings", recordLimit: 256 << 10)
    pipeline = try Self.makePipeline(partition, fanOutLimit: fanOutLimit, epoch: 7)
  }

  private static func makePipeline(_ partition: Int32, fanOutLimit: Int, epoch: UInt64) throws -> Pipeline {
    let catalog = try Catalog.parse(yaml: Deployment.catalog, file: "catalog.yaml")
    var configuration = Pipeline.Configuration(partition: partition, partitionCount: Deployment.partitions)
    configuration.fanOutLimit = fanOutLimit
    configuration.fanOutStep = 400
    var pipeline = Pipeline(configuration: configuration, catalog: catalog)
    var positions = InputPositions()
    for topic in InputTopic.allCases { positions[topic] = 0 }
    pipeline.start(at: positions, epoch: epoch)
    return pipeline
  }

  func reset(_ deployment: Deployment) throws {
    pipeline = try Self.makePipeline(partition, fanOutLimit: fanOutLimit, epoch: 8)
    pipeline.continueDecisions(after: decisions)
    try writeState(deployment)
  }

  func commit(_ deployment: Deployment) throws {
    let now = deployment.world.now
    for topic in [InputTopic.recipients, .subscriptions, .events, .routed, .engagement] {
      for entry in deployment.log(topic.name, partition)?.entries ?? [] {
        guard entry.offset >= pipeline.positions[topic], let record = entry.record else { continue }
        let input = InputRecord(key: record.key, value: record.value, headers: record.headers)
        let progress = try pipeline.apply(
          PartitionRecord(topic: topic, offset: entry.offset, appended: entry.timestamp, content: input),
          now: now, using: &codecs)
        if progress == .again { break }
      }
    }
    pipeline.tick(now: now)
    pipeline.continueFanOut(now: now, using: codecs)
    pipeline.outbox.forEach { record in
      deployment.write(
        record.topic.name, record.partition, key: record.key, value: record.value, headers: record.headers)
    }
    if let decisions = pipeline.takeDecisions() {
      deployment.write("decisions", partition, key: nil, value: decisions.view)
    }
    try writeState(deployment)
  }

  private func writeState(_ deployment: Deployment) throws {
    var record = OutputBuffer()
    _ = pipeline.seal(into: &record)
    pipeline.confirm()
    decisions = try StateHeader(record: record.view).decisions
    deployment.write("state", partition, key: nil, value: record.view)
  }
}
