import Kafka
import KafkaTesting
import SimulatedKafka
import Testing

@Suite("Faults of a simulated Kafka")
struct FaultTests {
  @Test(
    "lost requests and replies neither lose nor repeat nor reorder anything",
    arguments: 1...20 as ClosedRange<UInt64>)
  func losses(seed: UInt64) throws {
    let fixture = Fixture(seed: seed)
    fixture.world.broker.faults.requestLoss = 0.2
    fixture.world.broker.faults.replyLoss = 0.2
    let consumer = try fixture.test.cluster.makeGroupConsumer(
      GroupConsumerOptions(groupID: "g", offsetReset: .error))
    let producer = try fixture.producer()
    for round in 0..<20 {
      try producer.begin()
      for index in 0..<5 { try producer.produce(.init(partition: 0, value: "\(round).\(index)")) }
      try producer.sendOffsets(
        [PartitionOffset(fixture.partition(0), offset: Int64(round))], group: try consumer.groupMetadata(),
        timeout: .seconds(30))
      if round % 4 == 3 { try producer.abort(timeout: .seconds(30)) } else { try producer.commitFully() }
    }
    let expected = (0..<20).filter { $0 % 4 != 3 }.flatMap { round in (0..<5).map { "\(round).\($0)" } }
    try fixture.wait { try fixture.committed() == expected }
    let committed = try consumer.committed([fixture.partition(0)], timeout: .seconds(30))
    #expect(committed == [PartitionOffset(fixture.partition(0), offset: 18)])
  }

  @Test(
    "a commit nobody hears of is a retriable time-out; the successor finds it in or out, with its offsets")
  func unknownOutcome() throws {
    var outcomes: Set<Bool> = []
    for seed in 1...20 as ClosedRange<UInt64> {
      let fixture = Fixture(seed: seed)
      let consumer = try fixture.test.cluster.makeGroupConsumer(
        GroupConsumerOptions(groupID: "g", offsetReset: .error))
      let producer = try fixture.producer()
      try producer.begin()
      try producer.produce(.init(partition: 0, value: "v"))
      try producer.sendOffsets(
        [PartitionOffset(fixture.partition(0), offset: 5)], group: try consumer.groupMetadata(),
        timeout: .seconds(30))
      fixture.world.broker.faults.unknownOutcomes = 1
      fixture.world.broker.faults.silence = 15_000...20_000
      let start = fixture.world.now
      let error = #expect(throws: KafkaError.self) {
        while try producer.commit(timeout: .milliseconds(100)) == .pending {}
      }
      #expect(error?.disposition == .retry)
      #expect(fixture.world.now - start >= 10_000)
      producer.close()
      fixture.world.broker.faults.unknownOutcomes = 0
      _ = try fixture.producer()
      let committed = try consumer.committed([fixture.partition(0)], timeout: .seconds(30))
      try fixture.wait { fixture.world.broker.log(fixture.partition(0))?.openTransactions.isEmpty == true }
      #expect((committed != [nil]) == (try fixture.committed() == ["v"]), "seed \(seed)")
      outcomes.insert(committed != [nil])
    }
    #expect(outcomes == [true, false], "both happen")
  }

  @Test(
    "offsets become stable before the markers of the partitions land, when they are told to (KAFKA-10167)")
  func offsetsFirst() throws {
    let fixture = Fixture()
    fixture.world.broker.faults.offsetsFirst = 1
    fixture.world.broker.faults.lateMarkers = 1
    let consumer = try fixture.test.cluster.makeGroupConsumer(
      GroupConsumerOptions(groupID: "g", offsetReset: .error))
    let producer = try fixture.producer()
    try producer.begin()
    try producer.produce(.init(partition: 0, value: "v"))
    let sent = PartitionOffset(fixture.partition(0), offset: 5)
    try producer.sendOffsets([sent], group: try consumer.groupMetadata(), timeout: .seconds(30))
    try producer.commitFully()
    #expect(try consumer.committed([fixture.partition(0)], timeout: .seconds(30)) == [sent])
    let log = try #require(fixture.world.broker.log(fixture.partition(0)))
    #expect(log.lastStableOffset == 0 && log.endOffset == 1, "the record's marker is still to come")
    try fixture.wait { log.lastStableOffset == 2 }
  }

  @Test("a thread that does not poll for too long loses its partitions, and hears of it with its next polls")
  func maxPollInterval() throws {
    var latencies = Latencies()
    latencies.maxPollInterval = 5000
    let fixture = Fixture(latencies: latencies)
    let (stalls, other) = (try PollingProcess(fixture, "stalls"), try PollingProcess(fixture, "other"))
    try fixture.wait { stalls.assigned.count == 1 && other.assigned.count == 1 }
    let held = stalls.assigned
    stalls.process.stall(for: 15_000, wholeProcess: false)
    try fixture.wait(seconds: 10) { other.assigned.count == 2 }
    try fixture.wait { stalls.has(.failed(.pollIntervalExceeded)) && stalls.has(.revoked(held, lost: true)) }
    try fixture.wait { stalls.assigned.count == 1 && other.assigned.count == 1 }
  }

  @Test(
    "a process that was stopped past its session finds its partitions lost, and cannot commit offsets for them"
  )
  func stopped() throws {
    let fixture = Fixture()
    let (stops, other) = (try PollingProcess(fixture, "stops"), try PollingProcess(fixture, "other"))
    try fixture.wait { stops.assigned.count == 1 && other.assigned.count == 1 }
    let held = stops.assigned
    let metadata = try stops.consumer.groupMetadata()
    let producer = try fixture.producer()
    stops.process.stall(for: 14_000, wholeProcess: true)
    try fixture.wait(seconds: 13) { other.assigned.count == 2 }
    try producer.begin()
    let error = #expect(throws: KafkaError.self) {
      try producer.sendOffsets(
        [PartitionOffset(held[0], offset: 5)], group: metadata, timeout: .seconds(10))
    }
    #expect(error?.code == .unknownMember && error?.disposition == .abort)
    try fixture.wait { stops.has(.revoked(held, lost: true)) }
    try fixture.wait { stops.assigned.count == 1 && other.assigned.count == 1 }
  }

  @Test("who does not answer a rebalance in time is left out of it, and joins again later")
  func rebalanceTimeout() throws {
    var latencies = Latencies()
    latencies.maxPollInterval = 8000
    let fixture = Fixture(latencies: latencies)
    let slow = try PollingProcess(fixture, "slow")
    try fixture.wait { slow.assigned.count == 2 }
    slow.process.stall(for: 20_000, wholeProcess: false)
    let start = fixture.world.now
    let other = try PollingProcess(fixture, "other")
    try fixture.wait { other.assigned.count == 2 }
    #expect(fixture.world.now - start > 5000, "the group waits for the slow one")
    try fixture.wait { slow.assigned.count == 1 && other.assigned.count == 1 }
    #expect(slow.has(.revoked([fixture.partition(0), fixture.partition(1)], lost: true)))
  }

  @Test("coordinators and brokers that are away are waited for, or a retriable time-out")
  func away() throws {
    let fixture = Fixture()
    let polling = try PollingProcess(fixture, "p")
    try fixture.wait { polling.assigned.count == 2 }
    let consumer = try fixture.test.cluster.makeGroupConsumer(
      GroupConsumerOptions(groupID: "other", offsetReset: .error))
    let producer = try fixture.producer()
    fixture.world.broker.faults.brokersDownUntil = fixture.world.now + 5000
    let error = #expect(throws: KafkaError.self) {
      try consumer.committed([fixture.partition(0)], timeout: .seconds(2))
    }
    #expect(error?.code == .timedOut && error?.disposition == .retry)
    try producer.begin()
    try producer.produce(.init(partition: 0, value: "v"))
    #expect(try producer.commit(timeout: .seconds(1)) == .pending)
    try producer.commitFully()
    try fixture.wait { polling.has(.read("v")) }
    #expect(polling.assigned.count == 2)
    #expect(polling.events.count { if case .assigned = $0.event { true } else { false } } == 1)
  }

  @Test("a stuck partition is waited for; the others go on")
  func stuck() throws {
    let fixture = Fixture()
    let polling = try PollingProcess(fixture, "p")
    try fixture.wait { polling.assigned.count == 2 }
    try fixture.publish(["stuck"], partition: 0)
    try fixture.wait { polling.has(.read("stuck")) }
    let log = try #require(fixture.world.broker.log(fixture.partition(0)))
    log.stuckUntil = fixture.world.now + 3000
    try fixture.publish(["other"], partition: 1)
    try fixture.wait(seconds: 2) { polling.has(.read("other")) }
    let start = fixture.world.now
    try fixture.publish(["later"], partition: 0)
    #expect(fixture.world.now - start > 2000)
    try fixture.wait { polling.has(.read("later")) }
  }

  @Test(
    "records that are not delivered within the transaction's time abort it; what arrives later is refused")
  func messageTimeout() throws {
    let fixture = Fixture()
    fixture.world.latencies.transactionScan = 600_000
    let producer = try fixture.producer()
    let log = try #require(fixture.world.broker.log(fixture.partition(0)))
    try producer.begin()
    try producer.produce(.init(partition: 1, value: "delivered"))
    try producer.produce(.init(partition: 0, value: "stuck"))
    log.stuckUntil = fixture.world.now + 12_000
    let error = #expect(throws: KafkaError.self) {
      while try producer.commit(timeout: .milliseconds(100)) == .pending {}
    }
    #expect(error?.code == .timedOut && error?.disposition == .abort)
    try producer.abort(timeout: .seconds(30))
    try producer.begin()
    try producer.produce(.init(partition: 0, value: "next"))
    try producer.commitFully()
    try fixture.wait { try fixture.committed() == ["next"] && log.openTransactions.isEmpty }
    #expect(try fixture.committed(1) == [])
  }

  @Test("retention moves the beginning: who reads before it gets an error and not a jump")
  func retention() throws {
    let fixture = Fixture()
    try fixture.publish((0..<10).map { "\($0)" })
    fixture.world.broker.retain(fixture.partition(0), from: 6)
    let reader = try TestReader(
      fixture.test.cluster, topics: ["in"], from: [PartitionOffset(fixture.partition(0), offset: 5)])
    #expect(try reader.events { !$0.isEmpty }.first?.error?.code == .noOffset)
    try reader.reader.assign([PartitionOffset(fixture.partition(0), offset: 6)])
    #expect(try reader.valuesToEnd() == (["6", "7", "8", "9"], 10))
  }

  @Test(
    "compaction keeps the last record of each key at its offset and tombstones for a day, and readers pass the gaps"
  )
  func compaction() throws {
    let fixture = Fixture()
    let producer = try fixture.producer()
    func write(_ records: [(String, String?)], commits: Bool) throws {
      try producer.begin()
      for (key, value) in records { try producer.produce(.init(partition: 0, key: key, value: value)) }
      fixture.test.sleep(for: 50)
      if commits { try producer.commitFully() } else { try producer.abort(timeout: .seconds(30)) }
    }
    try write([("a", "1"), ("b", "1"), ("c", "1")], commits: true)
    try write([("a", "never")], commits: false)
    try write([("a", "2"), ("c", nil)], commits: true)
    fixture.test.sleep(for: 100)
    let end = try #require(fixture.world.broker.log(fixture.partition(0))).endOffset
    fixture.world.broker.compact(fixture.partition(0))
    try fixture.publish(["last"])
    let reader = try TestReader(
      fixture.test.cluster, topics: ["in"], from: [PartitionOffset(fixture.partition(0), offset: 0)])
    let events = try reader.events { $0.last?.end != nil }
    #expect(events.compactMap(\.value) == ["1", "2", nil, "last"])
    #expect(events.last?.end == end + 1)
    let offsets = events.compactMap { if case .record(_, let offset) = $0 { offset } else { nil as Int64? } }
    #expect(offsets == [1, 6, 7, end])
    fixture.world.broker.retain(fixture.partition(0), from: 3)
    try reader.reader.assign([PartitionOffset(fixture.partition(0), offset: 3)])
    #expect(try reader.valuesToEnd().values == ["2", nil, "last"])
    fixture.world.run(until: fixture.world.now + SimulatedBroker.deleteRetention)
    fixture.world.broker.compact(fixture.partition(0))
    #expect(fixture.world.broker.log(fixture.partition(0))?.entries.map(\.offset) == [6])
  }

  @Test("offsets expire when they are told to; those that a transaction holds do not")
  func offsetExpiry() throws {
    let fixture = Fixture()
    let polling = try PollingProcess(fixture, "p")
    try fixture.wait { polling.assigned.count == 2 }
    try polling.consumer.commit([PartitionOffset(fixture.partition(0), offset: 3)])
    fixture.world.broker.groups.expireOffsets(ofGroup: "g", topics: ["other"])
    let group = try #require(fixture.world.broker.groups.group("g"))
    #expect(group.offsets[fixture.partition(0)]?.offset == 3)
    fixture.world.broker.groups.expireOffsets(ofGroup: "g", topics: ["in"])
    #expect(group.offsets.committed.isEmpty)
  }

  @Test("an observer hears of a decision before anything of it is visible, and of offsets when they count")
  func observer() throws {
    final class Observer: BrokerObserver {
      var heard: [String] = []
      var visible: () -> Int = { 0 }
      func transactionDecided(
        _ transaction: TransactionState, commits: Bool, offsets: [(group: String, offsets: [PartitionOffset])]
      ) {
        heard.append("\(commits) \(offsets.map { "\($0.group) \($0.offsets)" }) visible: \(visible())")
      }
      func offsetsCommitted(group: String, offsets: [PartitionOffset]) { heard.append("\(group) \(offsets)") }
    }
    let fixture = Fixture()
    let observer = Observer()
    fixture.world.broker.observer = observer
    observer.visible = { ((try? fixture.committed()) ?? []).count }
    let consumer = try fixture.test.cluster.makeGroupConsumer(
      GroupConsumerOptions(groupID: "g", offsetReset: .error))
    let producer = try fixture.producer()
    try producer.begin()
    try producer.produce(.init(partition: 0, value: "v"))
    try producer.sendOffsets(
      [PartitionOffset(fixture.partition(0), offset: 5)], group: try consumer.groupMetadata(),
      timeout: .seconds(30))
    try producer.commitFully()
    fixture.test.sleep(for: 100)
    #expect(observer.heard == [#"true ["g [in [0] @ 5]"] visible: 0"#, "g [in [0] @ 5]"])
    #expect(try fixture.committed() == ["v"])
    observer.visible = { 0 }
  }
}
