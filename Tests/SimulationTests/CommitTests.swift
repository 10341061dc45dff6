import Processor
import SimulatedKafka
import Testing

/// Which partitions a commit takes.
struct CommitTests {
  /// Milliseconds between the records of each partition's state log, while events for all of them come.
  ///
  /// - Parameter delay: what a request for a partition of the state log takes longer, in milliseconds.
  private func distances(
    _ seed: UInt64, partitionCount: Int32, delay: Int64 = 0,
    channels: String = "email: { policy: immediate }",
    configure: @escaping (inout ProcessorConfiguration) -> Void = { _ in }
  ) throws -> [[Int64]] {
    let deployment = try Deployment(seed: seed, partitionCount: partitionCount, channels: channels)
    var names: [Int32: String] = [:]
    for name in (0..<1_000).map({ "r\($0)" }) {
      let home = deployment.partition("recipients", of: name).partition
      if names[home] == nil { names[home] = name }
    }
    let recipients = names.sorted { $0.key < $1.key }.map(\.value)
    try #require(recipients.count == partitionCount)
    for name in recipients {
      try deployment.publish("{\"email\":\"\(name)@example.org\"}", key: name, to: "recipients")
    }
    let running = try deployment.start("a", configure: configure)
    try deployment.wait(for: "the partitions") { running.status.runningPartitions == partitionCount }
    for name in recipients {
      deployment.world.broker.log(deployment.partition("state", of: name))?.delay = delay
    }
    let start = deployment.world.now + 1_000
    for number in 0..<800 {
      for name in recipients { try deployment.publish(event: "\(number)-\(name)", for: name) }
      deployment.world.run(until: deployment.world.now + 5)
    }
    let end = deployment.world.now
    let count = 800 * Int64(partitionCount)
    try deployment.wait(for: "the decisions") { running.status.counters.email.accepted == count }
    #expect(running.failure == nil)
    return try recipients.map { name in
      let log = try #require(deployment.world.broker.log(deployment.partition("state", of: name)))
      let times = log.entries.filter { $0.record != nil && (start..<end).contains($0.timestamp) }
        .map(\.timestamp)
      return zip(times.dropFirst(), times).map { $0 - $1 }
    }
  }

  @Test(
    "where deliveries wait in many partitions for slow brokers, a commit takes half of them, and the next one the others",
    arguments: 1...5 as ClosedRange<UInt64>)
  func half(seed: UInt64) throws {
    let whole = try distances(seed, partitionCount: 8, delay: 40) { $0.undividedPartitions = 8 }
    let halves = try distances(seed, partitionCount: 8, delay: 40)
    for (whole, halves) in zip(whole, halves) {
      let mean = whole.reduce(0, +) / Int64(whole.count)
      #expect(whole.count > 20 && mean > 40, "seed \(seed)")
      // Requests of the simulated broker do not wait for one another: half of them take as long as all.
      let longest = try #require(whole.max())
      #expect(
        halves.allSatisfy { $0 > mean * 3 / 2 && $0 <= 2 * longest + 20 }, "seed \(seed): \(halves), \(whole)"
      )
    }
  }

  @Test(
    "where they wait in a few partitions, each commit takes all of them",
    arguments: 1...5 as ClosedRange<UInt64>)
  func few(seed: UInt64) throws {
    let whole = try distances(seed, partitionCount: 4, delay: 40) { $0.undividedPartitions = 8 }
    #expect(try distances(seed, partitionCount: 4, delay: 40) == whole, "seed \(seed)")
  }

  @Test(
    "where brokers are quick, each commit takes all partitions", arguments: 1...5 as ClosedRange<UInt64>)
  func quick(seed: UInt64) throws {
    let distances = try distances(seed, partitionCount: 8) { $0.minimumCommitInterval = .milliseconds(100) }
    for partition in distances {
      #expect(partition.count > 20, "seed \(seed)")
      #expect(partition.allSatisfy { (90...140).contains($0) }, "seed \(seed): \(partition)")
    }
  }

  @Test(
    "where none wait, each commit takes all partitions, and no sooner than its interval is over",
    arguments: 1...5 as ClosedRange<UInt64>)
  func noneWaits(seed: UInt64) throws {
    let digest = "email: { policy: digest, window: 1h }"
    let distances = try distances(seed, partitionCount: 8, delay: 40, channels: digest) {
      $0.commitInterval = .milliseconds(300)
    }
    for partition in distances {
      #expect(partition.count > 5, "seed \(seed)")
      #expect(partition.allSatisfy { (290...380).contains($0) }, "seed \(seed): \(partition)")
    }
  }
}
