import Contract
import Foundation
import Kafka
import Processor
import SimulatedKafka
import Testing

/// Which partitions a commit takes, and what becomes of one that fails.
struct CommitTests {
  /// Notes what a worker commits.
  private final class Commits: BrokerObserver {
    struct Commit {
      /// When it was decided, in milliseconds since the epoch.
      var time: Int64
      /// The home partitions of which it has a state record.
      var homes: Set<Int32>
    }

    private let now: () -> Int64
    private(set) var all: [Commit] = []

    init(now: @escaping () -> Int64) { self.now = now }

    func transactionDecided(
      _ transaction: TransactionState, commits: Bool, offsets: [(group: String, offsets: [PartitionOffset])]
    ) {
      guard commits else { return }
      let homes = transaction.partitions.map(\.topicPartition).filter { $0.topic.hasSuffix(".state") }
      all.append(Commit(time: now(), homes: Set(homes.map(\.partition))))
    }

    /// Milliseconds between those that take a partition.
    func distances(of home: Int32) -> [Int64] {
      let times = all.filter { $0.homes.contains(home) }.map(\.time)
      return zip(times.dropFirst(), times).map { $0 - $1 }
    }
  }

  /// The commits of a worker while events come, for all partitions all the time, from the second second on.
  ///
  /// - Parameters:
  ///   - append: for how long each request that appends records occupies the connection, in milliseconds.
  ///   - delay: what each request for a partition of the state log takes longer, whatever else there is.
  private func commits(
    _ seed: UInt64, partitionCount: Int32, append: Int64 = 0, delay: Int64 = 0,
    channels: String = "email: { policy: immediate }",
    configure: @escaping (inout ProcessorConfiguration) -> Void = { _ in }
  ) throws -> Commits {
    let deployment = try Deployment(seed: seed, partitionCount: partitionCount, channels: channels)
    let world = deployment.world
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
    for name in recipients { world.broker.log(deployment.partition("state", of: name))?.delay = delay }
    world.latencies.append = append
    let commits = Commits { world.now }
    for number in 0..<1_000 {
      if number == 200 { world.broker.observer = commits }
      for name in recipients { try deployment.publish(event: "\(number)-\(name)", for: name) }
      world.run(until: world.now + 5)
    }
    world.broker.observer = nil
    let count = 1_000 * Int64(partitionCount)
    try deployment.wait(for: "the decisions") { running.status.counters.email.accepted == count }
    #expect(running.failure == nil)
    return commits
  }

  @Test(
    "where brokers take the partitions of a commit one by one, it has half of those that deliveries wait in, and the next one the others",
    arguments: 1...5 as ClosedRange<UInt64>)
  func half(seed: UInt64) throws {
    let commits = try commits(seed, partitionCount: 8, append: 2).all
    try #require(commits.count > 50, "seed \(seed)")
    #expect(commits.count { $0.homes.count == 4 } > commits.count * 9 / 10, "seed \(seed): \(commits)")
    for (commit, next) in zip(commits, commits.dropFirst()) {
      #expect(commit.homes.union(next.homes).count == 8, "seed \(seed): \(commit), \(next)")
    }
  }

  @Test(
    "where half of the partitions take as long as all of them, a commit takes all, but for one of 24 that tries",
    arguments: 1...5 as ClosedRange<UInt64>)
  func whole(seed: UInt64) throws {
    let commits = try commits(seed, partitionCount: 8, delay: 40).all
    try #require(commits.count > 40, "seed \(seed)")
    let halves = commits.count { $0.homes.count < 8 }
    #expect((1...commits.count / 24 + 1).contains(halves), "seed \(seed): \(commits)")
  }

  @Test(
    "where they wait in a few partitions, each commit takes all of them",
    arguments: 1...5 as ClosedRange<UInt64>)
  func few(seed: UInt64) throws {
    let commits = try commits(seed, partitionCount: 4, append: 4).all
    #expect(commits.count > 50, "seed \(seed)")
    #expect(commits.allSatisfy { $0.homes.count == 4 }, "seed \(seed): \(commits)")
  }

  @Test(
    "where brokers are quick, each commit takes all partitions", arguments: 1...5 as ClosedRange<UInt64>)
  func quick(seed: UInt64) throws {
    let commits = try commits(seed, partitionCount: 8) { $0.minimumCommitInterval = .milliseconds(100) }
    for home in 0..<8 as Range<Int32> {
      let distances = commits.distances(of: home)
      #expect(distances.count > 20, "seed \(seed)")
      #expect(distances.allSatisfy { (90...140).contains($0) }, "seed \(seed): \(distances)")
    }
  }

  @Test(
    "where none wait, each commit takes all partitions, and no sooner than its interval is over",
    arguments: 1...5 as ClosedRange<UInt64>)
  func noneWaits(seed: UInt64) throws {
    let digest = "email: { policy: digest, window: 1h }"
    let commits = try commits(seed, partitionCount: 8, append: 2, channels: digest) {
      $0.commitInterval = .milliseconds(300)
    }
    for home in 0..<8 as Range<Int32> {
      let distances = commits.distances(of: home)
      #expect(distances.count > 5, "seed \(seed)")
      #expect(distances.allSatisfy { (290...380).contains($0) }, "seed \(seed): \(distances)")
    }
  }

  @Test(
    "a transaction that fails at any of its records is taken back, and all of it is sent once",
    arguments: 1...5 as ClosedRange<UInt64>)
  func failure(seed: UInt64) throws {
    var number = 0
    var hasFailed = true
    while hasFailed {
      number += 1
      let deployment = try Deployment(
        seed: seed, partitionCount: 2, channels: "inapp: { policy: immediate }, email: { policy: immediate }")
      let recipients = ["ann", "bob", "dan", "eve"]
      try #require(Set(recipients.map { deployment.partition("recipients", of: $0).partition }).count == 2)
      for name in recipients {
        try deployment.publish("{\"email\":\"\(name)@example.org\"}", key: name, to: "recipients")
      }
      let running = try deployment.start("a") { $0.heartbeatInterval = .seconds(3_600) }
      try deployment.wait(for: "the partitions") { running.status.runningPartitions == 2 }
      deployment.world.run(until: deployment.world.now + 1_000)
      running.process.failingRecord = number
      for name in recipients {
        for id in 1...2 { try deployment.publish(event: "\(id)-\(name)", for: name) }
      }
      try deployment.wait(for: "the decisions") { running.status.counters.email.accepted == 8 }
      #expect(running.failure == nil, "seed \(seed), record \(number)")
      #expect(running.status.counters.difference == 0, "seed \(seed), record \(number)")
      for channel in ["email", "inapp"] {
        let ids = try delivered(to: channel, in: deployment)
        let published = recipients.flatMap { ["1-\($0)", "2-\($0)"] }
        #expect(ids.sorted() == published.sorted(), "seed \(seed), record \(number), \(channel)")
      }
      hasFailed = running.process.failingRecord == nil
    }
    // Eight deliveries to each channel; decisions and state of two partitions, in one transaction or in more.
    #expect(number > 20, "seed \(seed)")
  }

  @Test(
    "an aborted transaction that the coordinator has not heard of costs the producer, not the process",
    arguments: 1...5 as ClosedRange<UInt64>)
  func forbidden(seed: UInt64) throws {
    let deployment = try Deployment(
      seed: seed, partitionCount: 2, channels: "inapp: { policy: immediate }, email: { policy: immediate }")
    let recipients = ["ann", "bob", "dan", "eve"]
    for name in recipients {
      try deployment.publish("{\"email\":\"\(name)@example.org\"}", key: name, to: "recipients")
    }
    let running = try deployment.start("a") { $0.heartbeatInterval = .seconds(3_600) }
    try deployment.wait(for: "the partitions") { running.status.runningPartitions == 2 }
    for number in 1...4 {
      // The transaction before has ended, so that the coordinator has none to abort.
      deployment.world.run(until: deployment.world.now + 1_000)
      deployment.world.broker.faults.additionsForbiddenUntil = deployment.world.now + Int64(number) * 200
      for name in recipients { try deployment.publish(event: "\(number)-\(name)", for: name) }
      try deployment.wait(for: "the decisions") {
        running.status.counters.email.accepted == Int64(number * recipients.count)
      }
      #expect(
        deployment.world.now >= deployment.world.broker.faults.additionsForbiddenUntil, "seed \(seed)")
    }
    #expect(running.failure == nil, "seed \(seed)")
    #expect(running.status.counters.difference == 0, "seed \(seed)")
    let published = (1...4).flatMap { number in recipients.map { "\(number)-\($0)" } }
    for channel in ["email", "inapp"] {
      #expect(
        try delivered(to: channel, in: deployment).sorted() == published.sorted(), "seed \(seed), \(channel)")
    }
  }

  /// The ids of the events of which a channel has got deliveries that are committed.
  private func delivered(to channel: String, in deployment: Deployment) throws -> [String] {
    try (0..<2 as Range<Int32>).flatMap { partition in
      let topic = deployment.partition("delivery.\(channel)").topic
      let log = try #require(deployment.world.broker.log(TopicPartition(topic: topic, partition: partition)))
      return try log.entries.filter(\.isVisible).compactMap(\.record).map(Self.eventID)
    }
  }

  /// The id of the event that a delivery stands for.
  private static func eventID(_ record: StoredRecord) throws -> String {
    let json = try #require(record.value?.string)
    let delivery = try #require(JSONSerialization.jsonObject(with: Data(json.utf8)) as? [String: Any])
    let items = try #require((delivery["data"] as? [String: Any])?["items"] as? [[String: Any]])
    try #require(items.count == 1)
    return try #require(items[0]["id"] as? String)
  }
}
