import Kafka
import Processor

/// The topics of a benchmark: created by it, deleted by it, and never anybody else's.
struct BenchTopics {
  private let site: BenchSite
  private static let timeout = Duration.seconds(60)

  init(_ site: BenchSite) { self.site = site }

  /// Creates all topics of a deployment with the prefix.
  ///
  /// - Throws: `BenchmarkError` where one of them is there already, whoever made it; `KafkaError`.
  func create(prefix: String) throws {
    let topics = TopicPlan.topics(
      prefix: prefix, partitionCount: site.partitionCount, replicationFactor: 1)
    let names = Set(topics.map(\.name))
    let existing = try site.cluster.admin.topics(timeout: .seconds(10)).map(\.name).filter(names.contains)
    if let first = existing.first {
      throw BenchmarkError(
        "the topic \(first) is there already, and a benchmark touches only what it has made: choose another "
          + "--prefix, or delete the \(existing.count) topics that begin with \(prefix).")
    }
    try site.cluster.admin.create(topics, timeout: Self.timeout)
  }

  /// Deletes the topics and the processors' groups of the prefixes, as far as it can. An embedded cluster forgets them
  /// by itself.
  func delete(_ prefixes: [String]) {
    for prefix in prefixes {
      do {
        try delete(prefix: prefix)
      } catch {
        site.logger.error("the topics that begin with \(prefix). are left behind: \(error)")
      }
    }
  }

  private func delete(prefix: String) throws {
    guard let cluster = site.cluster as? LibrdkafkaCluster else { return }
    let topics = TopicPlan.topics(
      prefix: prefix, partitionCount: site.partitionCount, replicationFactor: 1)
    try cluster.deleteTopics(topics.map(\.name), timeout: Self.timeout)
    try cluster.deleteGroups(
      [ProcessorConfiguration(prefix: prefix).groupID], timeout: Self.timeout)
  }
}
