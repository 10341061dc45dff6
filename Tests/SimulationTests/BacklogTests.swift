import SimulatedKafka
import Testing

/// What is taken in behind a commit under way.
struct BacklogTests {
  /// The bytes of the largest record of decisions.
  private func largestDecisions(_ deployment: Deployment) throws -> Int {
    let decisions = try #require(deployment.world.broker.log(deployment.partition("decisions")))
    return decisions.entries.map { $0.record?.value?.count ?? 0 }.max() ?? 0
  }

  /// Whether a transaction with records of a partition, the only one or that of a key, was aborted.
  private func hasAborted(_ deployment: Deployment, of key: String = "", in topic: String) throws -> Bool {
    let log = try #require(deployment.world.broker.log(deployment.partition(topic, of: key)))
    return log.entries.contains { $0.record != nil && !$0.isVisible }
  }

  @Test(
    "a record of the decisions has at most half of what input may fill, and its own bound, however much waits",
    arguments: 1...5, [(4_000, 3 << 20), (32_000, 3 << 20), (4_000, 8_000), (32_000, 8_000)])
  func logRecord(seed: UInt64, bytes: (commit: Int, logRecord: Int)) throws {
    let deployment = try Deployment(seed: seed)
    let running = try deployment.start("a") {
      $0.commitBytes = bytes.commit
      $0.commitInterval = .seconds(5)
      $0.backlogBytes = 32_000
      $0.logRecordBytes = bytes.logRecord
    }
    // Nobody has an address: all output is decisions and state.
    let count = 1_000
    for number in 0..<count { try deployment.publish(event: "\(number)", for: "ann") }
    try deployment.wait(for: "the decisions") {
      running.status.counters.email.suppressed[.noAddress] == Int64(count)
    }
    let largest = try largestDecisions(deployment)
    let bound = min(16_000, bytes.logRecord) / 4 * 3
    #expect(largest >= bound, "seed \(seed): the backlog was never full")
    #expect(largest < bound + 1_000, "seed \(seed): three quarters of the bound, and one decision more")
    #expect(running.failure == nil)
  }

  @Test(
    "recipients that another partitioner put into partitions not their own go home by many commits, not by one",
    arguments: 1...5 as ClosedRange<UInt64>, [false, true])
  func foreignRecipients(seed: UInt64, loses: Bool) throws {
    let deployment = try Deployment(seed: seed, partitionCount: 2)
    let names = (0..<2_000).map { "r\($0)" }
      .filter { deployment.partition("recipients", of: $0).partition == 1 }
    for name in names {
      try deployment.publish(
        "{\"email\":\"\(name)@example.org\"}", key: name, to: "recipients", partition: 0)
    }
    let running = try deployment.start("a") { $0.backlogBytes = 16_000 }
    let own = try #require(deployment.world.broker.log(deployment.partition("recipients", of: names[0])))
    if loses {
      // The offsets of a member that the group has lost are refused: what was sent is taken back, and sent again.
      try deployment.wait(for: "the first of them") { own.endOffset > 0 }
      deployment.world.broker.groups.group("sim-processor")?.removeMembers()
    }
    try deployment.wait(for: "all at home") {
      let partitions = running.status.workers.values.flatMap(\.partitions)
      return own.endOffset >= names.count && partitions.count == 2 && partitions.allSatisfy(\.isIdle)
    }
    for name in names.suffix(5) { try deployment.publish(event: name, for: name) }
    try deployment.wait(for: "deliveries") { running.status.counters.email.delivered == 5 }
    #expect(running.failure == nil)

    var bytes: [Int64: Int] = [:]
    var home: [String] = []
    for entry in own.entries {
      guard let transaction = entry.transaction, let record = entry.record, entry.isVisible else { continue }
      bytes[transaction.firstOffset, default: 0] += record.value?.count ?? 0
      home.append(record.key?.string ?? "")
    }
    #expect(home == names, "each once, in their order")
    #expect(try hasAborted(deployment, of: names[0], in: "recipients") == loses, "seed \(seed)")
    #expect(bytes.values.max() ?? 0 < 16_000, "seed \(seed): \(bytes.values.max() ?? 0) bytes in one commit")
  }

  @Test(
    "a batch that is larger than a commit before one may begin goes on until it is full, and no further",
    arguments: 1...5 as ClosedRange<UInt64>)
  func fullAfterAbort(seed: UInt64) throws {
    let deployment = try Deployment(seed: seed)
    let running = try deployment.start("a") {
      $0.commitBytes = 2_000
      $0.backlogBytes = 16_000
    }
    try deployment.wait(for: "the partition") { running.status.runningPartitions == 1 }
    // The offsets of a member that the group has lost are refused, and for a while after that no transaction begins.
    deployment.world.broker.groups.group("sim-processor")?.removeMembers()
    let count = 500
    for number in 0..<count { try deployment.publish(event: "\(number)", for: "ann") }
    try deployment.wait(for: "the decisions") {
      running.status.counters.email.suppressed[.noAddress] == Int64(count)
    }
    #expect(running.failure == nil, "seed \(seed)")
    let largest = try largestDecisions(deployment)
    #expect(largest < 7_000, "seed \(seed): half of three quarters of the backlog")
    #expect(largest > 3_000, "seed \(seed): no batch went on")
    #expect(try hasAborted(deployment, in: "decisions"), "seed \(seed)")
  }

  @Test(
    "a worker whose batches are full of windows alone still hears that the group has lost it",
    arguments: 1...5 as ClosedRange<UInt64>)
  func groupBesideDueWindows(seed: UInt64) throws {
    let deployment = try Deployment(seed: seed, channels: "email: { policy: digest, window: 5s }")
    let running = try deployment.start("a") {
      $0.backlogBytes = 16_000
      $0.pipelineLimits = { $0.tickBytes = 12_000 }
    }
    let names = (0..<100).map { "r\($0)" }
    for name in names {
      try deployment.publish("{\"email\":\"\(name)@example.org\"}", key: name, to: "recipients")
    }
    for name in names { try deployment.publish(event: "w-\(name)", for: name) }
    try deployment.wait(for: "the windows") { running.status.counters.email.open == 100 }
    try deployment.wait(for: "the first of the digests") { running.status.counters.email.delivered > 0 }
    deployment.world.broker.groups.group("sim-processor")?.removeMembers()
    try deployment.wait(for: "all of them") { running.status.counters.email.delivered == 100 }
    #expect(running.failure == nil)
    #expect(try hasAborted(deployment, in: "delivery.email"), "seed \(seed)")
  }

  @Test(
    "a window that comes due while the batch behind a commit is full of events is closed with that batch, also behind many others",
    arguments: 1...10 as ClosedRange<UInt64>, [0, 20])
  func dueBehindFullBatch(seed: UInt64, earlier: Int) throws {
    let deployment = try Deployment(seed: seed, channels: "email: { policy: digest, window: 10s }")
    let running = try deployment.start("a") {
      $0.commitBytes = 8_000
      $0.backlogBytes = 32_000
    }
    let names = (0..<earlier).map { "r\($0)" }
    for name in names + ["ann"] {
      try deployment.publish("{\"email\":\"\(name)@example.org\"}", key: name, to: "recipients")
    }
    for name in names { try deployment.publish(event: "w-\(name)", for: name) }
    deployment.world.run(until: deployment.world.now + 1_600) { false }
    try deployment.publish(event: "w", for: "ann")
    let count = Int64(earlier) + 1
    try deployment.wait(for: "the windows") { running.status.counters.email.open == count }
    let due = deployment.world.now + 10_000

    // Each transaction waits so long for the markers of the one before.
    let commit: Int64 = 3_000
    deployment.world.broker.faults.lateMarkers = 1
    deployment.world.broker.faults.lateMarker = commit...commit
    // Nobody else has an address: these only fill batches.
    deployment.world.run(until: due - 1_900) { false }
    try deployment.publish(event: "first", for: "bob")
    deployment.world.run(until: due - 1_750) { false }
    try deployment.publish(event: "second", for: "bob")
    deployment.world.run(until: due - commit / 2) { false }
    for number in 0..<2_000 { try deployment.publish(event: "\(number)", for: "bob") }
    try deployment.wait(for: "the digests") { running.status.counters.email.delivered == count }
    #expect(
      deployment.world.now <= due + 2 * commit,
      "seed \(seed): \(deployment.world.now - due) ms, more than the commit under way and that of the batch")
    #expect(
      running.status.counters.email.suppressed[.noAddress] < 2_000, "seed \(seed): no batch was full")
    #expect(running.failure == nil)
  }
}
