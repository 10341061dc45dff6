import Kafka
import Logging
import Processor
import Testing

@testable import Benchmarks

@Suite(.timeLimit(.minutes(1))) struct BenchTopicsTests {
  private let cluster: LastingTestCluster
  private let site: BenchSite

  init() throws {
    let logger = Logger(label: "bench") { _ in SwiftLogNoOpLogHandler() }
    cluster = try LastingTestCluster(logger: logger)
    site = BenchSite(cluster: cluster, prefix: "bench", partitionCount: 2, logger: logger)
  }

  private func names(_ prefix: String) -> [String] {
    TopicPlan.topics(prefix: prefix, partitionCount: 2, replicationFactor: 1).map(\.name)
  }

  private var deleted: Set<String> { cluster.state.withLock { $0.deletedTopics } }

  @Test(
    "a benchmark that finds a topic of its prefixes deletes what it has made, and nothing that was there",
    arguments: ["bench-1-copies", "bench-1-plain-copies"])
  func foreignTopics(prefix: String) throws {
    try cluster.admin.create(
      names(prefix).map { NewTopic(name: $0, partitionCount: 2) }, timeout: .seconds(10))
    var options = ThroughputBenchmark.Options()
    options.events = 100
    options.warmUp = 0
    options.partitions = 2
    options.rates = []
    let benchmark = ThroughputBenchmark(
      options, at: site, steps: LocalSteps(site), onProgress: { _, _ in })
    let error = #expect(throws: BenchmarkError.self) { try benchmark.run() }
    #expect(error?.description.contains("is there already") == true, "\(error?.description ?? "")")
    #expect(deleted.isDisjoint(with: names(prefix)))
    #expect(deleted.isSuperset(of: names("bench-1")))
    let group = ProcessorConfiguration(prefix: prefix).groupID
    #expect(!cluster.state.withLock { $0.deletedGroups.contains(group) })
  }

  @Test("where a topic cannot be made, those that were made before it are deleted")
  func refusedTopic() throws {
    let names = names("bench")
    cluster.state.withLock { $0.refusedTopics[names[3]] = .timedOut }
    #expect(throws: KafkaError.self) { try BenchTopics(site).create(prefix: "bench") }
    // Without an answer the refused one may be there as well.
    #expect(deleted == Set(names[...3]))
  }

  @Test("a topic that somebody else makes at the same time stays")
  func topicInBetween() throws {
    let names = names("bench")
    cluster.state.withLock { $0.refusedTopics[names[3]] = .topicAlreadyExists }
    #expect(throws: KafkaError.self) { try BenchTopics(site).create(prefix: "bench") }
    #expect(deleted == Set(names[..<3]))
  }

  @Test("a group is deleted when the session of a stopped process has ended")
  func busyGroup() {
    cluster.state.withLock { $0.busyGroups = 20 }
    var pauses = 0
    BenchTopics(site) { pauses += 1 }.delete(["bench"])
    #expect(pauses == 20)
    #expect(cluster.state.withLock { $0.deletedGroups } == [ProcessorConfiguration(prefix: "bench").groupID])
  }

  @Test("a group whose members stay is left behind, its topics are not")
  func groupWithMembers() {
    cluster.state.withLock { $0.busyGroups = .max }
    var pauses = 0
    BenchTopics(site) { pauses += 1 }.delete(["bench", "other"])
    // For each of both groups the session's ten seconds and one more.
    #expect(pauses == 44)
    #expect(deleted == Set(names("bench") + names("other")))
  }
}
