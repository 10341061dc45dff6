import Contract
import Kafka
import Logging
import ServiceLifecycle
import Testing

@testable import Delivery

@Suite("the sink's runtime")
struct SinkRunnerTests {
  private let recipients = ["anna", "bert", "cleo", "dora", "emil", "fritz"]

  private func expected(_ count: Int, _ recipients: [String]) -> [String: [String]] {
    Dictionary(uniqueKeysWithValues: recipients.map { name in (name, (0..<count).map { "\(name)-\($0)" }) })
  }

  @Test("each delivery is handed over once, in order per recipient; lag becomes 0; a restart repeats nothing")
  func once() async throws {
    let test = try TestCluster(partitionCount: 3)
    try await test.produceDeliveries(20, recipients: recipients)
    let sink = MemorySink()
    let runner = test.runner(sink)
    let running = Task { try await runner.run() }
    try await eventually("idle") { runner.isIdle && sink.count == 120 }
    #expect(sink.handedOver == expected(20, recipients))
    #expect(sink.overlaps == 0)
    #expect(runner.counters.delivered == 120 && runner.counters.deliveredEvents == 120)
    #expect(try test.committed().mapValues(\.offset) == test.ends())
    running.cancel()
    try await running.value
    #expect(sink.isClosed)

    let secondSink = MemorySink()
    let second = test.runner(secondSink)
    let secondRun = Task { try await second.run() }
    try await eventually("idle again") { second.isIdle }
    try await test.produceDeliveries(1, recipients: ["gerd"])
    try await eventually("the new delivery") { secondSink.count == 1 }
    #expect(secondSink.handedOver == expected(1, ["gerd"]))
    secondRun.cancel()
    try await secondRun.value
  }

  @Test("a slow recipient holds nobody back, and a restart repeats nothing but theirs")
  func slowRecipient() async throws {
    let test = try TestCluster(partitionCount: 1)
    try await test.produceDeliveries(3, recipients: ["slow"] + recipients)
    let isOpen = Gate()
    let sink = MemorySink { id, _ in
      await isOpen.isOpen || !id.hasPrefix("slow") ? .delivered(detail: "") : .transient(reason: "not yet")
    }
    let patient: (inout SinkOptions) -> Void = { options in
      options.retry = RetryPolicy(initialDelay: .seconds(3600), maximumDelay: .seconds(3600))
    }
    let runner = test.runner(sink, patient)
    let running = Task { try await runner.run() }
    try await eventually("everybody else's") { sink.count == 18 }
    #expect(sink.attempts["slow-0"] == 1 && sink.attempts["slow-1"] == nil)
    #expect(!runner.isIdle)
    running.cancel()
    try await running.value
    let commit = try #require(try test.committed()[0])
    #expect(commit.offset == 0)
    #expect(
      commit.metadata.flatMap { CompletedOffsets(metadata: $0, base: commit.offset) }?.ranges == [3...20])

    await isOpen.open()
    let secondSink = MemorySink()
    let second = test.runner(secondSink, patient)
    let secondRun = Task { try await second.run() }
    try await eventually("idle") { second.isIdle && secondSink.count == 3 }
    #expect(secondSink.handedOver == expected(3, ["slow"]))
    #expect(second.counters.skipped == 18)
    #expect(try test.committed().mapValues(\.offset) == test.ends())
    secondRun.cancel()
    try await secondRun.value
  }

  @Test(
    "what is refused for good, too often, or cannot be read goes to the dead letters with reason and origin")
  func deadLetters() async throws {
    let test = try TestCluster(partitionCount: 1)
    try await test.produce([
      ("anna", TestCluster.delivery(id: "gone", recipient: "anna")),
      ("anna", TestCluster.delivery(id: "fine", recipient: "anna")),
      ("bert", TestCluster.delivery(id: "busy", recipient: "bert")),
      ("bert", TestCluster.delivery(id: "later", recipient: "bert")),
      ("cleo", Array("{not json".utf8)),
      ("dora", nil),
      ("emil", TestCluster.delivery(id: "inapp", recipient: "emil", channel: "inapp")),
    ])
    let sink = MemorySink { id, attempt in
      switch id {
      case "gone": .permanent(reason: "550 no such user")
      case "busy": .transient(reason: "451 try again")
      case "later": attempt < 3 ? .transient(reason: "450 greylisted") : .delivered(detail: "")
      default: .delivered(detail: "")
      }
    }
    let runner = test.runner(sink)
    let running = Task { try await runner.run() }
    try await eventually("idle") { runner.isIdle && runner.counters.deadLettered == 5 }
    running.cancel()
    try await running.value

    #expect(sink.handedOver == ["anna": ["fine"], "bert": ["later"]])
    #expect(sink.attempts == ["gone": 1, "fine": 1, "busy": 3, "later": 3])
    // One of what was refused for good, all three of what was refused too often, two before the third was taken.
    #expect(runner.counters.failedAttempts == 6)
    let letters = try test.deadLetters()
    let byKey = Dictionary(letters.map { ($0.key, $0) }) { _, last in last }
    #expect(letters.count == 5)
    #expect(byKey["anna"]?.value == TestCluster.delivery(id: "gone", recipient: "anna"))
    #expect(
      byKey["anna"]?.headers == [
        "x-origin": "test", "tidings-reason": "refused", "tidings-detail": "550 no such user",
        "tidings-attempts": "1", "tidings-topic": test.topic, "tidings-partition": "0",
        "tidings-offset": "0",
      ])
    #expect(byKey["bert"]?.headers["tidings-reason"] == "attemptsExhausted")
    #expect(byKey["bert"]?.headers["tidings-attempts"] == "3")
    #expect(byKey["cleo"]?.headers["tidings-reason"] == "notJSON")
    #expect(byKey["cleo"]?.value == Array("{not json".utf8))
    #expect(byKey["dora"]?.headers["tidings-reason"] == "tombstone")
    #expect(byKey["dora"]?.value == nil)
    #expect(byKey["emil"]?.headers["tidings-detail"]?.contains("inapp") == true)
    #expect(try test.committed().mapValues(\.offset) == test.ends())
  }

  @Test("an outage blames no delivery: all wait, and all are handed over when it ends")
  func outage() async throws {
    let test = try TestCluster(partitionCount: 1)
    try await test.produceDeliveries(5, recipients: recipients)
    let gate = Gate()
    let sink = MemorySink { _, _ in
      await gate.isOpen ? .delivered(detail: "") : .unavailable(reason: "connection refused")
    }
    let runner = test.runner(sink) { $0.recordLimit = 4 }
    let running = Task { try await runner.run() }
    try await eventually("many probes") { sink.attempts.values.reduce(0, +) > 20 }
    #expect(runner.status.outage == "connection refused")
    #expect(!runner.isIdle && runner.counters.deadLettered == 0 && sink.count == 0)
    #expect(runner.status.incompleteCount <= 8, "reading goes on while nothing can be delivered")
    await gate.open()
    try await eventually("idle") { runner.isIdle && sink.count == 30 }
    #expect(sink.handedOver == expected(5, recipients))
    #expect(runner.status.outage == nil && runner.counters.deadLettered == 0)
    running.cancel()
    try await running.value
  }

  @Test("a delivery for which alone the sink is unavailable ends in the dead letters, and holds up no other")
  func unavailableForOne() async throws {
    let test = try TestCluster(partitionCount: 1)
    let sink = MemorySink { id, _ in
      id == "poison-0" ? .unavailable(reason: "421 closing") : .delivered(detail: "")
    }
    // First it alone is there: nothing tells it from an outage.
    try await test.produceDeliveries(1, recipients: ["poison"])
    let runner = test.runner(sink)
    let running = Task { try await runner.run() }
    try await eventually("some probes") { (sink.attempts["poison-0"] ?? 0) > 5 }
    #expect(runner.counters.deadLettered == 0)
    // Each one that passes tells it from an outage once more.
    for number in 1...3 {
      let attempts = sink.attempts["poison-0"] ?? 0
      try await test.produceDeliveries(1, recipients: ["anna\(number)"])
      try await eventually("the other") { sink.count == number }
      try await eventually("the next attempt") { (sink.attempts["poison-0"] ?? 0) > attempts }
    }
    try await eventually("idle") { runner.isIdle && runner.counters.deadLettered == 1 }
    running.cancel()
    try await running.value
    #expect(sink.count == 3)
    let letters = try test.deadLetters()
    #expect(letters.map(\.key) == ["poison"])
    #expect(letters.first?.headers["tidings-reason"] == "attemptsExhausted")
    #expect(try test.committed().mapValues(\.offset) == test.ends())
  }

  @Test("a record that the dead-letter topic does not take waits, is not lost, and holds nothing done")
  func refusedDeadLetter() async throws {
    let embedded = try TestCluster.embedded()
    let test = try TestCluster(embedded, partitionCount: 1)
    try await test.produce([("anna", Array("{".utf8))])
    try await test.produceDeliveries(1, recipients: ["anna"])
    let topicAuthorizationFailed = KafkaError.Code(rawValue: 29)
    embedded.failRequests(apiKey: 0, with: Array(repeating: topicAuthorizationFailed, count: 3))
    let sink = MemorySink()
    let runner = test.runner(sink)
    let running = Task { try await runner.run() }
    try await eventually("the outage") {
      runner.status.outage?.contains(test.deadLetterTopic) == true
    }
    #expect(sink.count == 0 && runner.counters.deadLettered == 0 && !runner.isIdle)
    try await eventually("idle") { runner.isIdle }
    running.cancel()
    try await running.value
    #expect(sink.handedOver == expected(1, ["anna"]))
    #expect(try test.deadLetters().map(\.key) == ["anna"])
    #expect(runner.counters.failedAttempts > 0 && runner.status.outage == nil)
  }

  @Test("members share the partitions; when one leaves the other goes on, and nothing is repeated")
  func rebalance() async throws {
    let test = try TestCluster(partitionCount: 4)
    try await test.produceDeliveries(10, recipients: recipients)
    let firstSink = MemorySink()
    let secondSink = MemorySink()
    let first = test.runner(firstSink)
    let second = test.runner(secondSink)
    let firstRun = Task { try await first.run() }
    let secondRun = Task { try await second.run() }
    try await eventually("both assigned") {
      first.status.positions.count == 2 && second.status.positions.count == 2
    }
    try await eventually("all handed over") { firstSink.count + secondSink.count == 60 }
    firstRun.cancel()
    try await firstRun.value
    try await test.produceDeliveries(10, recipients: ["gerd", "hans", "ines", "jana"])
    try await eventually("the rest") { second.isIdle && firstSink.count + secondSink.count == 100 }
    #expect(second.status.positions.count == 4)
    #expect((Array(firstSink.attempts.values) + secondSink.attempts.values).allSatisfy { $0 == 1 })
    #expect(Set(firstSink.attempts.keys).isDisjoint(with: secondSink.attempts.keys))
    #expect(try test.committed().mapValues(\.offset) == test.ends())
    secondRun.cancel()
    try await secondRun.value
  }

  @Test(
    "a member that has to give partitions back begins nothing more, lets what is in progress finish, and commits it; the next owner repeats nothing",
    .enabled(
      if: TestCluster.bootstrapServers != nil, "the embedded cluster takes no commit during a rebalance"))
  func revoke() async throws {
    let test = try TestCluster(partitionCount: 2)
    try await test.produceDeliveries(3, recipients: recipients)
    let gate = Gate()
    let firstSink = MemorySink { _, _ in
      await gate.wait()
      return .delivered(detail: "")
    }
    let secondSink = MemorySink()
    let first = test.runner(firstSink)
    let second = test.runner(secondSink)
    let firstRun = Task { try await first.run() }
    try await eventually("all are read") {
      firstSink.attempts.count == 4 && first.queue.load.recordCount == 18
    }
    let secondRun = Task { try await second.run() }
    try await eventually("what waits is dropped") { first.queue.load.recordCount == 4 }
    #expect(!second.status.isAssigned && secondSink.attempts.isEmpty)
    let inProgress = Set(firstSink.attempts.keys)
    await gate.open()
    try await eventually("all handed over") { firstSink.count + secondSink.count == 18 }
    try await eventually("all committed") { first.isIdle && second.isIdle }
    #expect(inProgress.isSubset(of: firstSink.handedOver.values.joined()))
    #expect((Array(firstSink.attempts.values) + secondSink.attempts.values).allSatisfy { $0 == 1 })
    #expect(Set(firstSink.attempts.keys).isDisjoint(with: secondSink.attempts.keys))
    #expect(try test.committed().mapValues(\.offset) == test.ends())
    firstRun.cancel()
    secondRun.cancel()
    try await firstRun.value
    try await secondRun.value
  }

  @Test("a graceful shutdown lets what is in progress finish and commits it")
  func drain() async throws {
    let test = try TestCluster(partitionCount: 1)
    try await test.produceDeliveries(2, recipients: ["anna"])
    let gate = Gate()
    let sink = MemorySink { _, _ in
      await gate.wait()
      return .delivered(detail: "")
    }
    let runner = test.runner(sink)
    var logger = Logger(label: "test")
    logger.logLevel = .critical
    let services = ServiceGroup(services: [runner], logger: logger)
    let running = Task { try await services.run() }
    try await eventually("the first attempt") { sink.attempts["anna-0"] == 1 }
    await services.triggerGracefulShutdown()
    try await eventually("the drain") { runner.status.isDraining }
    await gate.open()
    try await running.value
    #expect(sink.handedOver == expected(1, ["anna"]))
    #expect(try test.committed()[0]?.offset == 1)
  }

  @Test(
    "what is still in progress when the drain is over holds up the end no longer, and is not closed under it")
  func drainIsOver() async throws {
    let test = try TestCluster(partitionCount: 1)
    try await test.produceDeliveries(1, recipients: ["anna", "bert"])
    let gate = Gate()
    let sink = MemorySink { id, _ in
      if id == "bert-0" { await gate.wait() }
      return .delivered(detail: "")
    }
    let runner = test.runner(sink) { $0.drainTimeout = .milliseconds(200) }
    let running = Task { try await runner.run() }
    try await eventually("both attempts") { sink.attempts.count == 2 && sink.count == 1 }
    running.cancel()
    let ended = Gate()
    let waiting = Task {
      try await running.value
      await ended.open()
    }
    let isOver = await ended.opens(within: .seconds(20))
    #expect(isOver, "the end waits for a delivery that does not end")
    #expect(!sink.isClosed)
    // Anna's is done, bert's is not.
    #expect(try test.committed()[0]?.offset == 1)
    await gate.open()
    try await waiting.value
  }

  @Test("a sink that does not close holds up the end for no longer than it may")
  func closingHangs() async throws {
    let test = try TestCluster(partitionCount: 1)
    let gate = Gate()
    let sink = MemorySink(closing: { await gate.wait() })
    let runner = test.runner(sink) { $0.closePatience = .milliseconds(50) }
    let running = Task { try await runner.run() }
    try await eventually("idle") { runner.isIdle }
    running.cancel()
    try await running.value
    #expect(!sink.isClosed)
    await gate.open()
  }
}

/// Something that opens once.
actor Gate {
  private(set) var isOpen = false
  private var waiting: [CheckedContinuation<Void, Never>] = []

  func open() {
    isOpen = true
    for continuation in waiting { continuation.resume() }
    waiting = []
  }

  func wait() async {
    if isOpen { return }
    await withCheckedContinuation { waiting.append($0) }
  }

  /// Waits for it, but no longer than so; says whether it is open.
  func opens(within limit: Duration) async -> Bool {
    let deadline = ContinuousClock.now + limit
    while !isOpen, ContinuousClock.now < deadline { try? await Task.sleep(for: .milliseconds(10)) }
    return isOpen
  }
}
