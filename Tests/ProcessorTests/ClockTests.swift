import Contract
import Kafka
import Pipeline
import Testing

@testable import Processor

@Suite(.serialized) struct ClockTests {
  @Test(
    "a wall clock that jumps stops the timers and readiness, not the deliveries, until the clocks agree again"
  )
  func jump() async throws {
    let harness = try ProcessorHarness(partitionCount: 2)
    let instants = SkewedInstants()
    let running = ProcessorHarness.Running(harness, instants: instants) { _ in }
    try await eventually("the processor decides") { running.status.runningPartitions == 2 }
    try await harness.publish(
      ["{\"email\":\"ann@example.org\"}"], to: "recipients", keys: ["ann"], contentType: "application/json")
    try await eventually("the recipient is known") { running.status.counters.decided == 1 }
    instants.set(skew: 3_600_000)
    try await eventually("the timers stop") { running.status.workers.values.allSatisfy(\.areTimersStopped) }
    #expect(!running.status.isReady)
    try await harness.publish([ProcessorHarness.event("1", recipients: "ann")])
    try await eventually("the event is decided") { running.status.counters.total.accepted == 2 }
    #expect(running.status.counters.inapp.delivered == 1)
    #expect(running.status.counters.email.open == 1)
    try await harness.expectStoppedTimers(running, instants, events: ["2", "3"])
    instants.set(skew: 0)
    try await eventually("the window is closed") { running.status.counters.email.delivered == 1 }
    #expect(running.status.isReady)
    try await running.stop()
  }

  @Test(
    "a process whose clock is wrong from the start finds out by the broker's before it closes anything",
    .enabled(if: ProcessorHarness.bootstrapServers != nil), arguments: [3_600_000, -3_600_000] as [Int64])
  func wrongFromTheStart(skew: Int64) async throws {
    let harness = try ProcessorHarness(partitionCount: 2)
    let instants = SkewedInstants(skew: skew)
    let running = ProcessorHarness.Running(harness, instants: instants) { _ in }
    try await eventually("the timers stop") {
      try running.checkAlive()
      return running.status.runningPartitions == 2
        && running.status.workers.values.allSatisfy(\.areTimersStopped)
    }
    try await harness.publish(
      ["{\"email\":\"ann@example.org\"}"], to: "recipients", keys: ["ann"], contentType: "application/json")
    try await eventually("the recipient is known") { running.status.counters.decided == 1 }
    try await harness.publish([ProcessorHarness.event("1", recipients: "ann")])
    try await eventually("the event is decided") { running.status.counters.inapp.delivered == 1 }
    try await harness.expectStoppedTimers(running, instants, events: ["2", "3"])
    // The machine's clock is put right while the process runs.
    instants.set(skew: 0)
    try await eventually("the clocks agree", within: .seconds(30)) { running.status.isReady }
    try await running.stop()
    let next = try await harness.start()
    try await next.stop()
  }

  @Test(
    "a clock in the state that is far ahead of the broker's is an error that names the way out",
    .enabled(if: ProcessorHarness.bootstrapServers != nil))
  func persistedClockAhead() async throws {
    let harness = try ProcessorHarness(partitionCount: 1)
    var pipeline = Pipeline(
      configuration: harness.configuration.pipeline(partition: 0), catalog: harness.catalog)
    var positions = InputPositions()
    for topic in InputTopic.allCases { positions[topic] = 0 }
    pipeline.start(at: positions, epoch: 1)
    let instants = SystemInstants()
    pipeline.tick(now: instants.wallMilliseconds + 86_400_000)
    try await harness.writeState(&pipeline)
    let running = ProcessorHarness.Running(harness) { _ in }
    let error = try #require(await running.failure())
    #expect("\(error)".contains("state [0]: the timer clock in the state stands at"))
    #expect("\(error)".contains("tidings state set-clock --partition 0"))
  }
}

extension ProcessorHarness {
  /// Lets ann's window become due by the timer clock, and expects it to stay open: over turns that decide events for
  /// somebody else.
  fileprivate func expectStoppedTimers(
    _ running: Running, _ instants: SkewedInstants, events: [String]
  ) async throws {
    let before = running.status.counters.inapp.delivered
    instants.advance(1_000)
    for (index, event) in events.enumerated() {
      try await publish([ProcessorHarness.event(event, recipients: "bob")])
      try await eventually("event \(event) is decided") {
        running.status.counters.inapp.delivered == before + Int64(index) + 1
      }
    }
    #expect(running.status.counters.email.open == 1)
  }

  /// Writes the state record of a pipeline, as a processor that was here before would have.
  func writeState(_ pipeline: inout Pipeline) async throws {
    var record = OutputBuffer(capacity: 1024)
    _ = pipeline.seal(into: &record)
    pipeline.confirm()
    let producer = try cluster.makeIdempotentProducer(IdempotentProducerOptions(topics: [topic("state")]))
    defer { producer.close() }
    _ = try await producer.send(
      ProducerRecord(
        topicIndex: 0, partition: pipeline.configuration.partition, key: nil,
        value: Array(record.view.buffer)))
  }
}
