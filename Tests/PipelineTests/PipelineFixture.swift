import Contract
import Foundation
import Policy

@testable import Pipeline

/// A record that owns its bytes.
struct TestRecord {
  var topic = InputTopic.events
  var key: String?
  var value: String?
  var headers: [(String, String)] = [("content-type", "application/cloudevents+json")]
  var appended: Int64 = Fixture.start

  /// An event in structured mode.
  static func event(
    id: String, type: String = "card.moved", recipients: String = "ann", tenant: String? = nil,
    extra: String = "", topic: InputTopic = .events, appended: Int64 = Fixture.start
  ) -> TestRecord {
    let names = recipients.contains(",") ? "recipients" : "recipient"
    let tenantField = tenant.map { ",\"tenant\":\"\($0)\"" } ?? ""
    return TestRecord(
      topic: topic,
      value:
        "{\"specversion\":\"1.0\",\"id\":\"\(id)\",\"source\":\"/test\",\"type\":\"\(type)\","
        + "\"\(names)\":\"\(recipients)\"\(tenantField),\"actor\":\"bob\"\(extra),\"data\":{\"n\":1}}",
      appended: appended)
  }

  /// An engagement record in structured mode.
  static func engagement(
    _ kind: String, of recipient: String, channel: String = "inapp", category: String? = nil,
    events: [String] = [], address: String? = nil, appended: Int64 = Fixture.start
  ) -> TestRecord {
    var value =
      "{\"specversion\":\"1.0\",\"id\":\"g\",\"source\":\"/app\",\"type\":\"tidings.engagement.\(kind)\","
      + "\"recipient\":\"\(recipient)\",\"channel\":\"\(channel)\""
    if let category { value += ",\"category\":\"\(category)\"" }
    if let address { value += ",\"data\":{\"address\":\"\(address)\"}" }
    if !events.isEmpty {
      let entries = events.map { "{\"source\":\"/test\",\"id\":\"\($0)\"}" }.joined(separator: ",")
      value += ",\"data\":{\"events\":[\(entries)]}"
    }
    return TestRecord(topic: .engagement, key: recipient, value: value + "}", appended: appended)
  }

  static func recipient(_ key: String, _ json: String?, appended: Int64 = Fixture.start) -> TestRecord {
    TestRecord(topic: .recipients, key: key, value: json, headers: [], appended: appended)
  }
}

/// A pipeline with its codecs, driven as a worker would, with a log in memory for its state.
final class Fixture {
  static let start: Int64 = 1_700_000_000_000
  static let epoch: UInt64 = 0xE60C

  static let catalogYAML = """
    unknownTypes: reject
    types:
      card.moved:
        category: cards
        title: "{{actor}} moved a card"
        channels:
          inapp: { policy: immediate }
          email: { policy: digest, window: 10s, items: 3 }
      card.due:
        category: cards
        title: "a card is due"
        channels:
          email: { policy: immediate, mandatory: true }
    """

  var pipeline: Pipeline
  var codecs: Codecs
  var log: [[UInt8]] = []
  var offsets: [InputTopic: Int64] = [:]

  init(
    catalog yaml: String = catalogYAML, partitionCount: Int32 = 1, partition: Int32 = 0,
    configure: (inout Pipeline.Configuration) -> Void = { _ in }
  ) throws {
    var configuration = Pipeline.Configuration(partition: partition, partitionCount: partitionCount)
    configure(&configuration)
    pipeline = Pipeline(
      configuration: configuration, catalog: try .parse(yaml: yaml, file: "catalog.yaml"))
    codecs = try Codecs(prefix: "tidings", recordLimit: 256 << 10)
    var positions = InputPositions()
    for topic in InputTopic.allCases { positions[topic] = 0 }
    pipeline.start(at: positions, epoch: Self.epoch)
  }

  /// Applies the next record of its topic.
  @discardableResult
  func apply(_ record: TestRecord, now: Int64 = Fixture.start) throws -> Pipeline.Progress {
    try apply(record, offset: pipeline.positions[record.topic], now: now)
  }

  func apply(_ record: TestRecord, offset: Int64, now: Int64) throws -> Pipeline.Progress {
    try record.withInput { input in
      try pipeline.apply(
        PartitionRecord(topic: record.topic, offset: offset, appended: record.appended, content: input),
        now: now, using: &codecs)
    }
  }

  /// Takes a record of a table as a restore does.
  func load(_ record: TestRecord, offset: Int64) {
    record.withInput { input in
      pipeline.load(
        PartitionRecord(topic: record.topic, offset: offset, appended: record.appended, content: input),
        using: &codecs)
    }
  }

  /// What the outbox and the decisions hold, as text.
  func output() -> [String] {
    var lines: [String] = []
    pipeline.outbox.forEach { record in
      let headers = record.headers.map { "\($0.name.string)=\($0.value?.string ?? "null")" }
      lines.append(
        "\(record.topic.name) [\(record.partition)] \(record.key?.string ?? "null") "
          + "\(record.value?.string ?? "null") \(headers.joined(separator: " "))")
    }
    if pipeline.decisions.count > 0 { lines.append("decisions \(pipeline.decisions.view.string)]") }
    return lines
  }

  /// Seals, as a commit does; its state record is written to the log when it is confirmed.
  @inline(never)  // Swift 6.3 fills an array after it has freed it where it sees that nobody reads it.
  func seal() -> (SealedCommit, [UInt8]) {
    var record = OutputBuffer()
    let commit = pipeline.seal(into: &record)
    return (commit, Array(record.view.buffer))
  }

  @discardableResult
  func commit() -> SealedCommit {
    let (commit, bytes) = seal()
    pipeline.confirm()
    log.append(bytes)
    return commit
  }

  var counters: Counters { pipeline.counters }
  var positions: InputPositions { pipeline.positions }
  var hasUncommittedWork: Bool { pipeline.hasUncommittedWork }
  var isHeaderDue: Bool { pipeline.isHeaderDue }
  var idCount: Int { pipeline.idCount }

  func nextDue() -> Int64? { pipeline.nextDue() }

  func image() -> [UInt8] {
    var buffer = OutputBuffer()
    pipeline.appendCanonicalImage(to: &buffer)
    return Array(buffer.view.buffer)
  }

  /// Reads a log into this pipeline.
  func restore(_ log: some Sequence<[UInt8]>) throws -> Bool {
    pipeline.beginRestore()
    for record in log {
      _ = try record.withUnsafeBytes { bytes in
        try pipeline.restore(ByteView(bytes))
      }
    }
    return try pipeline.endRestore()
  }
}

extension TestRecord {
  func withInput<Result>(_ body: (InputRecord) throws -> Result) rethrows -> Result {
    var bytes: [UInt8] = []
    func add(_ text: String) -> Range<Int> {
      let start = bytes.count
      bytes.append(contentsOf: text.utf8)
      return start..<bytes.count
    }
    let keyRange = key.map(add)
    let valueRange = value.map(add)
    let ranges = headers.map { (add($0.0), add($0.1)) }
    return try bytes.withUnsafeBytes { buffer in
      let all = ByteView(buffer)
      let views = ranges.map { HeaderView(name: all.slice($0), value: all.slice($1)) }
      return try views.withUnsafeBufferPointer { headers in
        try body(
          InputRecord(
            key: keyRange.map { all.slice($0) }, value: valueRange.map { all.slice($0) }, headers: headers))
      }
    }
  }
}
