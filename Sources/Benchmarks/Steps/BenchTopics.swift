import Foundation
import Kafka
import Processor

/// A cluster that keeps topics and groups until somebody deletes them. An embedded one forgets them by itself.
protocol LastingCluster: KafkaCluster {
  /// Deletes topics with all their records. One that is not there is deleted already.
  func deleteTopics(_ names: [String], timeout: Duration) throws(KafkaError)

  /// Deletes groups with their committed offsets. One that is not there is deleted already.
  func deleteGroups(_ names: [String], timeout: Duration) throws(KafkaError)
}

extension LibrdkafkaCluster: LastingCluster {}

/// The topics of a benchmark: created by it, deleted by it, and never anybody else's.
struct BenchTopics {
  private let site: BenchSite
  private let pause: () -> Void
  private static let timeout = Duration.seconds(60)
  private static let pauseLength = Duration.milliseconds(500)

  /// - Parameter pause: waits for half a second.
  init(_ site: BenchSite, pause: @escaping () -> Void = { Thread.sleep(forTimeInterval: 0.5) }) {
    self.site = site
    self.pause = pause
  }

  /// Creates all topics of a deployment with the prefix, or leaves none behind.
  ///
  /// - Throws: `BenchmarkError` where one of them is there already, whoever made it; `KafkaError`.
  func create(prefix: String) throws {
    let topics = topics(prefix: prefix)
    let names = Set(topics.map(\.name))
    let existing = try site.cluster.admin.topics(timeout: .seconds(10)).map(\.name).filter(names.contains)
    if let first = existing.first {
      throw BenchmarkError(
        "the topic \(first) is there already, and a benchmark touches only what it has made: choose another "
          + "--prefix, or delete the \(existing.count) topics that begin with \(prefix).")
    }
    var made: [String] = []
    // One at a time, so that it is known of each whether it was made here.
    for topic in topics {
      do throws(KafkaError) {
        try site.cluster.admin.create([topic], timeout: Self.timeout)
        made.append(topic.name)
      } catch {
        // It was not there before: where no answer came in time, it may have been made.
        if error.code != .topicAlreadyExists { made.append(topic.name) }
        deleteTopics(made, prefix: prefix)
        throw error
      }
    }
  }

  /// Deletes the topics and the processors' groups of prefixes that `create` has made, as far as it can. An embedded
  /// cluster forgets them by itself.
  func delete(_ prefixes: [String]) {
    for prefix in prefixes { deleteTopics(topics(prefix: prefix).map(\.name), prefix: prefix) }
    for prefix in prefixes { deleteGroup(of: ProcessorConfiguration(prefix: prefix)) }
  }

  private func topics(prefix: String) -> [NewTopic] {
    TopicPlan.topics(prefix: prefix, partitionCount: site.partitionCount, replicationFactor: 1)
  }

  private func deleteTopics(_ names: [String], prefix: String) {
    guard let cluster = site.cluster as? any LastingCluster else { return }
    do throws(KafkaError) {
      try cluster.deleteTopics(names, timeout: Self.timeout)
    } catch {
      site.logger.error("topics that begin with \(prefix). are left behind: \(error)")
    }
  }

  /// A process that was stopped is a member until its session ends, and a group with members cannot be deleted.
  private func deleteGroup(of configuration: ProcessorConfiguration) {
    guard let cluster = site.cluster as? any LastingCluster else { return }
    var pauses = Int((configuration.transactionTimeout + .seconds(1)) / Self.pauseLength)
    while true {
      do throws(KafkaError) {
        return try cluster.deleteGroups([configuration.groupID], timeout: Self.timeout)
      } catch {
        guard error.code == .nonEmptyGroup, pauses > 0 else {
          return site.logger.error("the group \(configuration.groupID) is left behind: \(error)")
        }
        pauses -= 1
        pause()
      }
    }
  }
}
