import Contract
import Foundation
import Kafka
import Logging
import Testing

@testable import tidings

@Suite("Publishing")
struct PublishTests {
  private func event(_ id: String, recipients: String) -> String {
    """
    {"specversion":"1.0","id":"\(id)","source":"/test","type":"t","recipients":"\(recipients)","data":{}}
    """
  }

  @Test("distinct events and notifications are counted once, and what comes again apart")
  func totals() throws {
    var decoder = try EventDecoder()
    var counter = PublishCounter()
    for json in [
      event("1", recipients: "a,b"), event("2", recipients: "a"), event("1", recipients: "a,b"),
      event("1", recipients: "c"),
    ] {
      json.withByteView { json in
        guard case .event(let event) = decoder.decode(structured: json) else {
          Issue.record("\(json.string) is rejected")
          return
        }
        counter.count(event)
      }
    }
    #expect(
      counter.totals == PublishTotals(events: 2, notifications: 4, repeatedNotifications: 2, records: 4))
  }

  @Test("events arrive with their keys, some twice, and what breaks the contract does not")
  func publish() throws {
    let cluster = try EmbeddedCluster(logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
    try cluster.createTopic("t.events", partitionCount: 4)
    var options = EventPublisher.Options(topic: "t.events")
    options.repeatFraction = 1
    var publisher = try EventPublisher(cluster: cluster, options: options, stop: StopSignal())
    var refused: [String] = []
    for json in [event("1", recipients: "ada"), "no json", event("2", recipients: "ada,bob")] {
      do {
        let goesOn = try json.withByteView { try publisher.publish($0, name: "line") }
        #expect(goesOn)
      } catch let rejection as Rejection {
        refused.append(rejection.reason.rawValue)
      }
    }
    try publisher.finish()
    #expect(refused == ["notJSON"])
    #expect(publisher.refused == 1)
    #expect(publisher.deliveries.delivered == 4)
    #expect(publisher.deliveries.failed == 0)
    #expect(
      publisher.totals == PublishTotals(events: 2, notifications: 3, repeatedNotifications: 3, records: 4))
    let keys = try read("t.events", of: cluster, partitions: 4, count: 4).sorted()
    #expect(keys == ["-", "-", "ada", "ada"])
  }

  @Test("a run tells what was left out, and one without a topic says what to do")
  func session() throws {
    let cluster = try EmbeddedCluster(logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
    try cluster.createTopic("t.events", partitionCount: 1)
    let session = try PublishSession(cluster, EventPublisher.Options(topic: "t.events"), isStrict: false)
    let end = #expect(throws: CommandEnd.self) {
      try session.run { session throws in
        for (json, isCut) in [(event("1", recipients: "a"), false), ("{}", false), ("[", true)] {
          let goesOn = try json.withByteView { try session.publish($0, isCut: isCut, name: "test") }
          #expect(goesOn)
        }
      }
    }
    #expect(end?.status == .failed && end?.message?.hasPrefix("2 events left out") == true)
    let missing = #expect(throws: CommandEnd.self) {
      _ = try PublishSession(cluster, EventPublisher.Options(topic: "t.nothing"), isStrict: false)
    }
    #expect(missing?.message?.contains("tidings topics apply") == true)
  }

  @Test("a strict run ends at the first event that breaks the contract")
  func strict() throws {
    let cluster = try EmbeddedCluster(logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
    try cluster.createTopic("t.events", partitionCount: 1)
    let session = try PublishSession(cluster, EventPublisher.Options(topic: "t.events"), isStrict: true)
    #expect(throws: CommandEnd.self) {
      try session.run { session throws in
        let goesOn = try "{}".withByteView { try session.publish($0, isCut: false, name: "test") }
        #expect(!goesOn)
      }
    }
  }

  /// The keys of the records of a topic; `-` for none.
  private func read(_ topic: String, of cluster: EmbeddedCluster, partitions: Int32, count: Int) throws
    -> [String]
  {
    let reader = try cluster.makeLogReader(LogReaderOptions(topics: [topic], isolation: .readUncommitted))
    defer { reader.close() }
    try reader.assign(
      (0..<partitions).map { PartitionOffset(TopicPartition(topic: topic, partition: $0), offset: 0) })
    var keys: [String] = []
    let deadline = ContinuousClock.now + .seconds(30)
    while keys.count < count, ContinuousClock.now < deadline {
      if case .record(let record) = reader.poll(timeout: .milliseconds(100)) {
        #expect(record.headers.first?.name.string == "content-type")
        keys.append(record.key?.string ?? "-")
      }
    }
    return keys
  }

  @Test(
    "what a damaged file of records holds before the damage is published, and the run says that it failed")
  func damagedRecords() throws {
    let folder = try TemporaryFolder()
    let text = (1...1000).map { #"{"recipient":"r\#($0)","email":"r\#($0)@example.org"}"# + "\n" }.joined()
    let plain = try folder.write(Array(text.utf8), to: "people")
    try folder.run(["gzip", plain])
    let whole = Array(try Data(contentsOf: URL(fileURLWithPath: "\(plain).gz")))
    let path = try folder.write(Array(whole.dropLast(9)), to: "cut")
    var readable = 0
    var lines = try LineReader(path: path, limit: 4096)
    #expect(throws: InputError.self) {
      while try lines.next() != nil { readable += 1 }
    }
    #expect(readable > 900)
    let cluster = try EmbeddedCluster(logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
    try cluster.createTopic("t.recipients", partitionCount: 1)
    var reader = try RecipientLineReader()
    let publisher = RecordFilePublisher(
      file: path, cluster: cluster, topic: "t.recipients", recordLimit: 4096, unit: "recipient")
    let end = #expect(throws: CommandEnd.self) {
      try publisher.run { (line) throws(Rejection) in
        let record = try reader.read(line)
        return OutgoingRecord(topicIndex: 0, key: record.key, value: record.value)
      }
    }
    #expect(end?.status == .failed && end?.message?.contains("cut off") == true)
    let range = try cluster.admin.offsets(
      of: [TopicPartition(topic: "t.recipients", partition: 0)], isolation: .readUncommitted,
      timeout: .seconds(10))
    #expect(range.first?.latest == Int64(readable))
  }

  @Test("the events that come through a FIFO are published, though nobody can open it a second time")
  func fifo() throws {
    let folder = try TemporaryFolder()
    let path = "\(folder.path)/fifo"
    try #require(mkfifo(path, 0o600) == 0)
    let text = (1...3).map { event("\($0)", recipients: "ada") + "\n" }.joined()
    let writer = Thread {
      // Opening waits for the reader.
      guard let file = FileHandle(forWritingAtPath: path) else { return }
      try? file.write(contentsOf: Data(text.utf8))
      try? file.close()
    }
    writer.start()
    let cluster = try EmbeddedCluster(logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
    try cluster.createTopic("t.events", partitionCount: 1)
    let stop = StopSignal()
    let input = try InputFile(path: path, stop: stop)
    let session = try PublishSession(
      cluster, EventPublisher.Options(topic: "t.events"), isStrict: false, stop: stop)
    try session.publishLines(of: input)
    #expect(try read("t.events", of: cluster, partitions: 1, count: 3) == ["ada", "ada", "ada"])
  }

  @Test("a line may be longer than its record, which may be as large as the processor takes")
  func recipientLimit() throws {
    let mutes = (0..<200).map { #"{"subject":"\#($0)-\#(String(repeating: "x", count: 1_500))"}"# }
    let line = "{\"recipient\":\"ada\",\"mutes\":[\(mutes.joined(separator: ","))]}"
    func size(_ line: String, maxBytes: Int) throws -> Int {
      var reader = try RecipientLineReader(maxBytes: maxBytes)
      return try line.withByteView { view throws(Rejection) in
        let record = try reader.read(view)
        return InputRecord(key: record.key, value: record.value, headers: record.headers).byteCount
      }
    }
    let bytes = try size(line, maxBytes: 1 << 20)
    #expect(bytes > 256 << 10)
    #expect(try size(line.replacing("{", with: "{ "), maxBytes: bytes) == bytes)
    #expect(throws: Rejection.self) { try size(line, maxBytes: bytes - 1) }
    let folder = try TemporaryFolder()
    let spaces = String(repeating: " ", count: 5_000)
    let path = try folder.write(Array("{\(spaces)\"recipient\":\"ada\"}\n".utf8), to: "people")
    let cluster = try EmbeddedCluster(logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
    try cluster.createTopic("t.recipients", partitionCount: 1)
    let publisher = RecordFilePublisher(
      file: path, cluster: cluster, topic: "t.recipients", recordLimit: 4096, unit: "recipient")
    var reader = try RecipientLineReader(maxBytes: 4096)
    try publisher.run { (line) throws(Rejection) in
      let record = try reader.read(line)
      return OutgoingRecord(topicIndex: 0, key: record.key, value: record.value)
    }
  }

  @Test("a recipient's line becomes a record under the recipient's key")
  func recipients() throws {
    var reader = try RecipientLineReader()
    func read(_ line: String) throws -> (key: String?, value: String?) {
      try line.withByteView { line in
        let record = try reader.read(line)
        return (record.key?.string, record.value?.string)
      }
    }
    let ada = try read(#"{"recipient":"ada","email":"ada@example.org","shoe":41}"#)
    #expect(ada.key == "ada" && ada.value == #"{"optOut":[],"email":"ada@example.org"}"#)
    let bob = try read(#"{"recipient":"bob","tenant":"acme"}"#)
    #expect(bob.key == "acme/bob")
    let nobody = try read(#"{"recipient":"bob","tenant":null}"#)
    #expect(nobody.key == "bob")
    let gone = try read(#"{"recipient":"ada","deleted":true}"#)
    #expect(gone.key == "ada" && gone.value == nil)
    for wrong in [
      "", "no", "{}", #"{"recipient":""}"#, #"{"recipient":"a/b"}"#, #"{"recipient":"a","tenant":7}"#,
      #"{"recipient":"a","email":"nobody"}"#, #"{"recipient":"a\u0007"}"#,
      // A letter of its own with the mark behind it, but the byte of the character all the same.
      #"{"recipient":"x/\u0301y"}"#, #"{"recipient":"y","tenant":"x/\u0301"}"#,
    ] {
      #expect(throws: Rejection.self, "\(wrong)") { try read(wrong) }
    }
  }
}
