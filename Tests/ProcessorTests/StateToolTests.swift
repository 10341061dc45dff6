import Contract
import Foundation
import Kafka
import Pipeline
import Testing

@testable import Processor

/// What an operator meets when the state of a partition cannot be used, and the way out that the error names. On a
/// real broker: the embedded cluster forgets transactional offsets.
@Suite(.serialized, .enabled(if: ProcessorHarness.bootstrapServers != nil)) struct StateToolTests {
  /// A partition that has decided `count` events of ann, each with an open window's item, and is at rest.
  private func decided(_ count: Int, window: String = "1h") async throws -> ProcessorHarness {
    let harness = try ProcessorHarness(partitionCount: 1, catalogYAML: Self.catalog(window: window))
    let running = try await harness.start()
    try await harness.publish(
      ["{\"email\":\"ann@example.org\"}"], to: "recipients", keys: ["ann"], contentType: "application/json")
    try await eventually("the recipient is known") { running.status.counters.decided == 1 }
    try await harness.publish((0..<count).map { ProcessorHarness.event("a\($0)", recipients: "ann") })
    try await eventually("all is decided") { running.status.counters.inapp.delivered == count }
    try await running.stop()
    return harness
  }

  private static func catalog(window: String) -> String {
    """
    types:
      card.moved:
        category: cards
        title: "{{actor}} moved a card"
        channels:
          inapp: { policy: immediate }
          email: { policy: digest, window: \(window), items: 3 }
    """
  }

  private func refusal(of harness: ProcessorHarness) async throws -> String {
    let running = ProcessorHarness.Running(harness) { _ in }
    try await eventually("the processor ends", within: .seconds(30)) { running.hasEnded }
    return "\(try #require(await running.failure()))"
  }

  /// Publishes one more event, and expects it to be decided.
  private func expectDeciding(_ harness: ProcessorHarness, deliveries: Int, duplicates: Int64 = 0)
    async throws
  {
    let running = try await harness.start()
    try await harness.publish([ProcessorHarness.event("last", recipients: "ann")])
    try await eventually("the last event is delivered", within: .seconds(30)) {
      try running.checkAlive()
      return try harness.deliveries(.inapp).count == deliveries
    }
    #expect(running.status.counters.inapp.suppressed[.duplicate] == duplicates)
    #expect(running.status.counters.difference == 0)
    try await running.stop()
  }

  private func setGroup(_ harness: ProcessorHarness, _ topic: String, to offset: Int64) throws {
    let member = try harness.cluster.makeGroupConsumer(
      GroupConsumerOptions(groupID: harness.configuration.groupID, offsetReset: .error))
    try member.commit([
      PartitionOffset(TopicPartition(topic: harness.topic(topic), partition: 0), offset: offset)
    ])
    try member.close()
  }

  private func tool(
    _ harness: ProcessorHarness, instants: any InstantSource = SystemInstants()
  ) throws -> StateTool {
    try StateTool(
      cluster: harness.cluster, configuration: harness.configuration, partition: 0, instants: instants)
  }

  private func append(_ value: [UInt8], to harness: ProcessorHarness) async throws {
    let producer = try harness.cluster.makeIdempotentProducer(
      IdempotentProducerOptions(topics: [harness.topic("state")]))
    defer { producer.close() }
    _ = try await producer.send(ProducerRecord(topicIndex: 0, partition: 0, key: nil, value: value))
  }

  private func stateRecords(_ harness: ProcessorHarness) throws -> [[UInt8]] {
    let place = TopicPartition(topic: harness.topic("state"), partition: 0)
    let reader = try harness.cluster.makeLogReader(
      LogReaderOptions(topics: [place.topic], isolation: .readCommitted))
    defer { reader.close() }
    let (low, high) = try reader.watermarks(of: place, timeout: .seconds(10))
    try reader.assign([PartitionOffset(place, offset: low)])
    var records: [[UInt8]] = []
    let deadline = ContinuousClock.now + .seconds(30)
    while ContinuousClock.now < deadline {
      switch reader.poll(timeout: .milliseconds(100)) {
      case .record(let record):
        let value = record.value ?? .empty
        records.append((0..<value.count).map { value[$0] })
      case .endOfPartition(_, _, let offset): if offset >= high { return records }
      case .error(let error): throw error
      case .none: continue
      }
    }
    throw TimedOut(what: "reading \(place)")
  }

  // MARK: - Agreement

  /// The offsets of events, routed and recipients; in what comes behind them nothing was published.
  private static func targets(_ offsets: Int64...) -> [Int64] {
    offsets + Array(repeating: 0, count: InputTopic.allCases.count - offsets.count)
  }

  @Test(
    "a group that was set back is an error with both offsets; adopt-group reads again and finds the repeats")
  func adoptGroup() async throws {
    let harness = try await decided(5)
    try setGroup(harness, "events", to: 2)
    let error = try await refusal(of: harness)
    #expect(error.contains("\(harness.topic("events")) [0]: the state stands at offset 5"))
    #expect(error.contains("the consumer group at offset 2"))
    #expect(error.contains("`tidings state adopt-group --partition 0`"))
    #expect(error.contains("`tidings state adopt-state --partition 0`"))

    let tool = try tool(harness)
    let inspection = try tool.inspect()
    let others = Array(repeating: InputAgreement.Verdict.agrees, count: InputTopic.allCases.count - 1)
    #expect(inspection.inputs.map(\.verdict) == [.differs] + others)
    #expect(inspection.problems.map(\.description) == [error])
    let before = try stateRecords(harness)
    let plan = try tool.plan(.adoptGroup)
    #expect(try stateRecords(harness) == before)
    #expect(plan.targets == Self.targets(2, 0, 1))
    #expect(plan.costs.count == 1)
    #expect(plan.costs.first?.contains("offsets 2 to 4 (3) are read again") == true)

    var shown: StateRepairPlan?
    let outcome = try #require(
      try tool.repair(
        .adoptGroup,
        approve: {
          shown = $0
          return true
        }))
    #expect(shown == plan)
    #expect(outcome.sequence == plan.sequence)
    #expect(try tool.inspect().problems.isEmpty)
    #expect(try tool.repair(.adoptGroup) == nil)
    try await expectDeciding(harness, deliveries: 6, duplicates: 3)
  }

  @Test("a group that was set forward by mistake goes back to the state's offsets, and nothing is lost")
  func adoptState() async throws {
    let harness = try await decided(5)
    try await harness.publish((0..<4).map { ProcessorHarness.event("b\($0)", recipients: "ann") })
    try setGroup(harness, "events", to: 9)
    #expect(
      try await refusal(of: harness).contains("the state stands at offset 5, the consumer group at offset 9"))
    let tool = try tool(harness)
    let skipping = try tool.plan(.adoptGroup)
    #expect(skipping.costs.first?.contains("offsets 5 to 8 (4) are skipped") == true)
    let plan = try tool.plan(.adoptState)
    #expect(plan.targets == Self.targets(5, 0, 1))
    #expect(plan.costs.first?.contains("offsets 5 to 8 (4) are read") == true)
    _ = try #require(try tool.repair(.adoptState))
    try await expectDeciding(harness, deliveries: 10)
  }

  @Test(
    "where retention passed what was not read, the error names both offsets, and adopt-group goes on behind it"
  )
  func lostInput() async throws {
    let harness = try await decided(5)
    try await harness.publish((0..<20).map { ProcessorHarness.event("b\($0)", recipients: "ann") })
    let events = TopicPartition(topic: harness.topic("events"), partition: 0)
    _ = try harness.cluster.admin.deleteRecords(
      before: [PartitionOffset(events, offset: 15)], timeout: .seconds(10))
    let error = try await refusal(of: harness)
    #expect(error.contains("\(events): the next record to read is at offset 5, but the topic begins at 15"))
    #expect(error.contains("`tidings state adopt-group --partition 0`"))
    let tool = try tool(harness)
    #expect(try tool.inspect().problems.map(\.description) == [error])
    let plan = try tool.plan(.adoptGroup)
    #expect(plan.costs.first?.contains("offsets 5 to 14 (10) are gone") == true)
    _ = try #require(try tool.repair(.adoptGroup))
    try await expectDeciding(harness, deliveries: 16)
  }

  // MARK: - Damage

  @Test(
    "a state record of a later format is an error that names its offset; a reset begins at the group's offsets"
  )
  func unknownVersion() async throws {
    let harness = try await decided(5)
    let end = try tool(harness).inspect().log.end
    try await append(Array("TS\u{9}".utf8) + [UInt8](repeating: 0, count: 40), to: harness)
    let error = try await refusal(of: harness)
    #expect(error.contains("\(harness.topic("state")) [0] at offset \(end): the record has state format 9"))
    #expect(error.contains("`tidings state reset --partition 0`"))
    let tool = try tool(harness)
    #expect(throws: ProcessorFault.self) { try tool.plan(.adoptGroup) }
    let inspection = try tool.inspect()
    #expect(inspection.problems.map(\.description) == [error])
    #expect(inspection.ids == 5)
    let plan = try tool.plan(.reset(.group))
    #expect(plan.targets == Self.targets(5, 0, 1))
    #expect(plan.costs.contains { $0.contains("ids are forgotten: 5") })
    #expect(plan.costs.contains { $0.contains("open windows are forgotten: 1, with 5 notifications") })
    _ = try #require(try tool.repair(.reset(.group)))
    let after = try tool.inspect()
    #expect(after.problems.isEmpty)
    #expect(after.log.records == 1)
    #expect(after.header?.decisions == inspection.header?.decisions)
    #expect(after.header?.epoch != inspection.header?.epoch)
    try await expectDeciding(harness, deliveries: 6)
  }

  @Test(
    "a hole in the state log is an error, whatever is left of the log; a reset to the beginning delivers all again"
  )
  func hole() async throws {
    let harness = try await decided(5)
    let first = try #require(try stateRecords(harness).first)
    try await append(first, to: harness)
    #expect(try await refusal(of: harness).contains("records are missing: number 1 follows number"))
    let place = TopicPartition(topic: harness.topic("state"), partition: 0)
    _ = try harness.cluster.admin.deleteRecords(
      before: [PartitionOffset(place, offset: 1)], timeout: .seconds(10))
    #expect(try await refusal(of: harness).contains("records are missing"))
    _ = try #require(try tool(harness).repair(.reset(.beginning)))
    // All that was decided is delivered again: no id is remembered.
    try await expectDeciding(harness, deliveries: 11)
  }

  @Test(
    "a state log whose records were all deleted is no fresh start, also where the group's offsets have expired"
  )
  func emptiedLog() async throws {
    let harness = try await decided(5)
    let place = TopicPartition(topic: harness.topic("state"), partition: 0)
    let end = try tool(harness).inspect().log.end
    _ = try harness.cluster.admin.deleteRecords(
      before: [PartitionOffset(place, offset: end)], timeout: .seconds(10))
    let error = try await refusal(of: harness)
    #expect(error.contains("\(place) at offset \(end): the log has lost its beginning"))
    let plan = try tool(harness).plan(.reset(.end))
    #expect(plan.targets == Self.targets(5, 0, 1))
    // From the topic of decisions: the log no longer says it.
    #expect(plan.decisions == 5)
    _ = try #require(try tool(harness).repair(.reset(.end)))
    try await expectDeciding(harness, deliveries: 6)

    // The same without any offset of the group.
    let expired = try ProcessorHarness(partitionCount: 1)
    try await append([1], to: expired)
    let state = TopicPartition(topic: expired.topic("state"), partition: 0)
    _ = try expired.cluster.admin.deleteRecords(
      before: [PartitionOffset(state, offset: 1)], timeout: .seconds(10))
    #expect(try await refusal(of: expired).contains("\(state) at offset 1: the log has lost its beginning"))
    #expect(throws: StateToolFault.self) { try self.tool(expired).plan(.reset(.group)) }
    #expect(try tool(expired).plan(.reset(.beginning)).decisions == nil)
    _ = try #require(try tool(expired).repair(.reset(.beginning)))
    try await expectDeciding(expired, deliveries: 1)
  }

  @Test(
    "a state topic that was deleted and created again is an error that names the group's offset, and reset")
  func recreatedStateTopic() async throws {
    // What is left of a deployment then: the group's offsets.
    let harness = try ProcessorHarness(partitionCount: 1)
    try await harness.publish((0..<5).map { ProcessorHarness.event("a\($0)", recipients: "ann") })
    for (topic, offset) in [("events", Int64(3)), ("routed", 0), ("recipients", 0)] {
      try setGroup(harness, topic, to: offset)
    }
    let error = try await refusal(of: harness)
    #expect(error.contains("\(harness.topic("events")) [0]: the consumer group stands at offset 3"))
    #expect(error.contains("the state topic holds no state of this partition"))
    #expect(error.contains("`tidings state reset --partition 0`"))
    let tool = try tool(harness)
    #expect(throws: StateToolFault.self) { try tool.plan(.adoptGroup) }
    #expect(throws: StateToolFault.self) { try tool.plan(.adoptState) }
    _ = try #require(try tool.repair(.reset(.group)))
    try await expectDeciding(harness, deliveries: 3)
  }

  @Test("a state topic with another number of partitions is an error that names both numbers")
  func partitionCount() async throws {
    let harness = try ProcessorHarness(partitionCount: 1)
    var configuration = harness.configuration
    configuration.partitionCount = 2
    let tool = try StateTool(cluster: harness.cluster, configuration: configuration, partition: 1)
    #expect(throws: ProcessorFault.self) { try tool.inspect() }
    #expect(throws: StateToolFault.self) {
      try StateTool(cluster: harness.cluster, configuration: configuration, partition: 2)
    }
  }

  @Test("a reset that ended before it cleared the old records away is an error, and another reset mends it")
  func interruptedReset() async throws {
    let harness = try await decided(5)
    let other = try await decided(1)
    // A first record of another history behind the old one.
    let first = try #require(try stateRecords(other).first)
    try await append(first, to: harness)
    let error = try await refusal(of: harness)
    #expect(error.contains("`tidings state reset --partition 0`"))
    _ = try #require(try tool(harness).repair(.reset(.group)))
    try await expectDeciding(harness, deliveries: 6)
  }

  // MARK: - Clocks

  @Test(
    "a clock far ahead is an error; set-clock puts it at the broker's time, and windows wait as they were to")
  func setClock() async throws {
    let harness = try await decided(2, window: "4s")
    let ahead = ShiftedInstants(milliseconds: 86_400_000)
    let future = ahead.wallMilliseconds
    _ = try #require(try tool(harness, instants: ahead).repair(.setClock(to: future, includesInput: false)))
    let error = try await refusal(of: harness)
    #expect(error.contains("\(harness.topic("state")) [0]: the timer clock in the state stands at"))
    #expect(error.contains("`tidings state set-clock --partition 0`"))
    let tool = try tool(harness)
    #expect(throws: StateToolFault.self) { try tool.plan(.setClock(to: future, includesInput: false)) }
    let outcome = try #require(try tool.repair(.setClock(to: nil, includesInput: true)))
    let clock = try #require(outcome.clock)
    #expect(abs(clock - SystemInstants().wallMilliseconds) < 60_000)
    let header = try #require(try tool.inspect().header)
    #expect(header.timerClock == clock)
    #expect(header.inputClock == clock)
    let running = try await harness.start()
    try await eventually("the window closes", within: .seconds(30)) {
      try running.checkAlive()
      return running.status.counters.email.delivered == 2
    }
    try await running.stop()
  }

  // MARK: - Owners

  @Test("nothing is written while a processor is a member of the group; the refusal names it")
  func livingGroup() async throws {
    let harness = try ProcessorHarness(partitionCount: 1)
    let running = try await harness.start()
    let tool = try tool(harness)
    #expect(throws: StateToolFault.self) { try tool.plan(.reset(.group)) }
    do {
      _ = try tool.repair(.reset(.group))
      Issue.record("a repair went on beside a processor")
    } catch let fault as StateToolFault {
      #expect(fault.description.contains("the group \(harness.configuration.groupID) has a member"))
    }
    try await eventually("state and group agree while they move") { try tool.inspect().problems.isEmpty }
    #expect(try tool.inspect().members?.count == 1)
    try await running.stop()
  }

  @Test("two tools at once: the group has two members then, and neither writes")
  func twoTools() async throws {
    let harness = try ProcessorHarness(partitionCount: 2)
    let first = try SoleMembership(harness.cluster, harness.configuration)
    try first.join()
    let second = Task.detached { () -> String in
      let membership = try SoleMembership(harness.cluster, harness.configuration)
      defer { membership.close() }
      do {
        try membership.join()
        return "alone"
      } catch {
        return "\(error)"
      }
    }
    await #expect(throws: StateToolFault.self) {
      try await eventually("the first hears of the second") {
        try first.keep()
        return false
      }
    }
    // It answers the rebalance from inside of its polls.
    first.close()
    _ = try await second.value
  }

  @Test(
    "a second tool of the same partition takes the transactional id: the first one's transaction is refused")
  func fencedTool() async throws {
    let harness = try await decided(1)
    let membership = try SoleMembership(harness.cluster, harness.configuration)
    defer { membership.close() }
    try membership.join()
    let make = {
      try StateWriter(harness.cluster, harness.configuration, 0, membership, patience: .seconds(30))
    }
    let first = try make()
    defer { first.close() }
    try first.register()
    let second = try make()
    defer { second.close() }
    try second.register()
    let before = try stateRecords(harness)
    let state = try RestoredState.read(
      0, of: harness.cluster, harness.configuration, committed: [:], patience: .seconds(30),
      progress: { _ in }, between: {})
    let events = TopicPartition(topic: harness.topic("events"), partition: 0)
    do {
      _ = try first.commit([PartitionOffset(events, offset: 0)]) { writer throws in
        try writer.append(&state.pipeline)
      }
      Issue.record("a fenced tool wrote")
    } catch let fault as StateToolFault {
      #expect(fault.description.contains("another member joined the group"))
    }
    #expect(try stateRecords(harness) == before)
  }

  // MARK: - Looking

  @Test(
    "a snapshot on this machine is named with the record that it goes on from, and is of no use after a reset"
  )
  func localSnapshot() async throws {
    let folder = FileManager.default.temporaryDirectory.appending(path: "tidings-\(UUID().uuidString)").path
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let harness = try ProcessorHarness(partitionCount: 1)
    let running = try await harness.start { $0.stateDirectory = folder }
    try await harness.publish([ProcessorHarness.event("a", recipients: "ann")])
    try await eventually("the event is delivered") { running.status.counters.inapp.delivered == 1 }
    try await running.stop()
    var configuration = harness.configuration
    configuration.stateDirectory = folder
    let tool = try StateTool(cluster: harness.cluster, configuration: configuration, partition: 0)
    let before = try tool.inspect()
    #expect(before.snapshot?.sequence == before.header?.sequence)
    #expect(before.snapshot?.obstacle == nil)
    // A record more: the snapshot is still of use.
    _ = try #require(try tool.repair(.setClock(to: nil, includesInput: false)))
    #expect(try tool.inspect().snapshot?.obstacle == nil)
    _ = try #require(try tool.repair(.reset(.group)))
    #expect(try tool.inspect().snapshot?.obstacle != nil)
    try Data("no snapshot".utf8).write(to: URL(filePath: try #require(before.snapshot?.path)))
    let torn = try #require(try tool.inspect().snapshot)
    #expect(torn.sequence == nil)
    #expect(torn.obstacle?.contains("not a snapshot") == true)
    let again = try await harness.start { $0.stateDirectory = folder }
    try await harness.publish([ProcessorHarness.event("b", recipients: "ann")])
    try await eventually("the next event is delivered") { again.status.counters.inapp.delivered == 1 }
    try await again.stop()
  }

  @Test("an export names every open window with its notifications, and every id")
  func export() async throws {
    let harness = try await decided(5)
    var text = ""
    let count = try tool(harness).export { text += $0.string }
    #expect(count == StateExportCount(windows: 1, members: 5, ids: 5))
    let lines = try text.split(separator: "\n").map { line in
      try #require(try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])
    }
    #expect(lines.count == 7)
    #expect(lines[0]["schema"] as? String == "tidings.state.v1")
    #expect(lines[0]["ids"] as? Int == 5)
    #expect(lines[1]["recipient"] as? String == "ann")
    let members = try #require(lines[1]["members"] as? [[String: Any]])
    let ids = members.compactMap { ($0["item"] as? [String: Any])?["id"] as? String }
    // The catalog keeps three items in full.
    #expect(ids == ["a0", "a1", "a2"])
    #expect(Set(lines[2...].compactMap { $0["id"] as? String }).count == 5)

    let inspection = try tool(harness).inspect()
    #expect(inspection.snapshot == nil)
    let json = try JSONSerialization.jsonObject(with: Data(try inspection.json().utf8)) as? [String: Any]
    #expect(json?["openWindows"] as? Int == 1)
    #expect(json?["difference"] as? Int == 0)
    #expect(json?["problems"] as? [String] == [])
  }
}

/// The clocks of a machine that is ahead.
private struct ShiftedInstants: InstantSource {
  let milliseconds: Int64
  private let machine = SystemInstants()

  init(milliseconds: Int64) { self.milliseconds = milliseconds }

  var wallMilliseconds: Int64 { machine.wallMilliseconds + milliseconds }
  var monotonicMilliseconds: Int64 { machine.monotonicMilliseconds }
}
