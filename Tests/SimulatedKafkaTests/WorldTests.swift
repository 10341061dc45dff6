import Kafka
import SimulatedKafka
import Testing

@Suite("A world")
struct WorldTests {
  @Test("events happen in the order of their times, and within an instant of their scheduling")
  func order() {
    let world = SimulatedWorld(seed: 1, start: 0)
    var happened: [String] = []
    for (delay, name) in [(5, "c"), (1, "a"), (5, "d"), (3, "b"), (0, "0")] as [(Int64, String)] {
      world.schedule(after: delay) { happened.append("\(name)@\(world.now)") }
    }
    world.run(until: 4)
    #expect(happened == ["0@0", "a@1", "b@3"] && world.now == 4)
    world.run(until: 10)
    #expect(happened.suffix(2) == ["c@5", "d@5"] && world.now == 10)
  }

  @Test(
    "the same seed gives the same run, to the last line of its trace; another one gives another",
    arguments: [1, 7])
  func determinism(seed: UInt64) throws {
    func trace(_ seed: UInt64) throws -> [String] {
      let fixture = Fixture(seed: seed)
      fixture.world.broker.faults.replyLoss = 0.1
      fixture.world.broker.faults.lateMarkers = 0.2
      var lines: [String] = []
      fixture.world.trace = { lines.append("\($0): \($1)") }
      let members = try (0..<3).map { try PollingProcess(fixture, "p\($0)") }
      let producer = try fixture.producer()
      for round in 0..<10 {
        try producer.begin()
        try producer.produce(.init(partition: Int32(round % 2), value: "\(round)"))
        try producer.commitFully()
      }
      fixture.world.run(until: fixture.world.now + 20_000)
      for member in members { lines += member.events.map { "\($0)" } }
      return lines
    }
    let first = try trace(seed)
    #expect(try first == trace(seed))
    #expect(try first != trace(seed + 1))
    #expect(first.count >= 20)
  }

  @Test(
    "a turn never waits: an idle process is called again when its poll's time-out is over, or something came")
  func turns() throws {
    let fixture = Fixture()
    let polling = try PollingProcess(fixture, "p")
    try fixture.wait { polling.assigned.count == 2 }
    fixture.world.run(until: fixture.world.now + 1000)
    let before = polling.turns
    fixture.world.run(until: fixture.world.now + 10_000)
    #expect((95...110).contains(polling.turns - before), "a turn per 100 ms: \(polling.turns - before)")
    let published = fixture.world.now
    try fixture.publish(["v"])
    try fixture.wait { polling.has(.read("v")) }
    let time = try #require(polling.events.last?.time)
    #expect(time - published <= 10)
  }

  @Test("nothing keeps a world that nobody holds any more, whatever its processes were doing")
  func memory() throws {
    weak var world: SimulatedWorld?
    weak var process: SimulatedProcess?
    do {
      let fixture = Fixture()
      world = fixture.world
      let polling = try PollingProcess(fixture, "p")
      process = polling.process
      let producer = try fixture.producer()
      try producer.begin()
      try producer.produce(.init(partition: 0, value: "v"))
      fixture.world.run(until: fixture.world.now + 5000)
      #expect(polling.assigned.count == 2)
    }
    // Not the objects themselves: a failed expectation would look into what is gone.
    let (hasWorld, hasProcess) = (world != nil, process != nil)
    #expect(!hasWorld)
    #expect(!hasProcess)
  }

  @Test("clocks of a process are its own: the wall clock may jump, the monotonic one only runs fast or slow")
  func clocks() {
    let world = SimulatedWorld(seed: 1, start: 1_000_000)
    let process = world.spawn("p")
    process.wallOffset = -5000
    process.monotonicDrift = 10_000
    world.run(until: 1_100_000)
    #expect(process.wallMilliseconds == 1_095_000)
    #expect(process.monotonicMilliseconds == 101_000)
    process.wallOffset = 60_000
    process.monotonicDrift = 0
    world.run(until: 1_200_000)
    withExtendedLifetime(world) {
      #expect(process.wallMilliseconds == 1_260_000)
      #expect(process.monotonicMilliseconds == 201_000)
    }
  }

  @Test("a crash ends every call, but what was sent before arrives")
  func crash() throws {
    let fixture = Fixture(
      latencies: {
        var l = Latencies(); l.network = 5...5; return l
      }())
    let process = fixture.world.spawn("p")
    let producer = try fixture.producer(of: process)
    try producer.begin()
    try producer.produce(.init(partition: 0, value: "v"))
    // Past linger, AddPartitionsToTxn and its answer: the batch is on its way.
    process.sleep(for: 14)
    #expect(fixture.world.broker.log(fixture.partition(0))?.endOffset == 0)
    process.crash()
    let error = #expect(throws: KafkaError.self) { try producer.commitFully() }
    #expect(error?.code == .closed && error?.isFatal == true)
    #expect(throws: KafkaError.self) {
      try process.cluster.makeLogReader(LogReaderOptions(topics: ["in"], isolation: .readCommitted))
    }
    fixture.world.run(until: fixture.world.now + 100)
    #expect(fixture.world.broker.log(fixture.partition(0))?.endOffset == 1)
  }

  @Test("a process that crashes inside of a call learns of it when the call returns")
  func crashInCall() throws {
    let fixture = Fixture()
    let process = fixture.world.spawn("p")
    fixture.world.broker.faults.transactionCoordinatorAwayUntil = fixture.world.now + 60_000
    let producer = try process.cluster.makeTransactionalProducer(
      TransactionalProducerOptions(transactionalID: "id", topics: ["in"]))
    fixture.world.schedule(after: 700) { process.crash() }
    let start = fixture.world.now
    let error = #expect(throws: KafkaError.self) { try producer.initTransactions(timeout: .seconds(30)) }
    #expect(error?.code == .closed && fixture.world.now - start == 700)
  }

  @Test("work for another thread is done later, and not at all when the process is dead by then")
  func background() {
    let world = SimulatedWorld(seed: 1)
    let (lives, dies) = (world.spawn("lives"), world.spawn("dies"))
    var done: [String] = []
    for process in [lives, dies] { process.background { done.append(process.name) } }
    dies.crash()
    #expect(done.isEmpty)
    world.run(until: world.now + 100)
    #expect(done == ["lives"])
  }
}
