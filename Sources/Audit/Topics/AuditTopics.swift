import Contract
import Kafka
import Pipeline

/// The topics and groups of one deployment, as an audit finds them.
public struct AuditTopics: Sendable {
  /// What stands before every topic name and group id.
  public var prefix: String
  /// The number of home partitions, P.
  public var partitionCount: Int32
  /// The largest record that is taken from upstream, in bytes: the processor's own setting. It may have been another
  /// one when a record was decided: only where nothing else is left says this one what was too large.
  public var recordLimit: Int

  /// The topics of a prefix.
  public init(prefix: String, partitionCount: Int32, recordLimit: Int = 256 << 10) {
    self.prefix = prefix
    self.partitionCount = partitionCount
    self.recordLimit = recordLimit
  }

  /// A size that no record has, for reading what the processor took.
  static let anySize = 1 << 30

  func name(of topic: InputTopic) -> String { "\(prefix).\(topic.name)" }
  var state: String { "\(prefix).state" }
  var decisions: String { "\(prefix).decisions" }
  var rejected: String { "\(prefix).rejected" }
  func delivery(_ channel: Channel) -> String { "\(prefix).delivery.\(channel.name)" }
  func deadLetters(_ channel: Channel) -> String { "\(delivery(channel)).dead-letter" }
  var processorGroup: String { "\(prefix)-processor" }

  /// The group of the sink that reads a channel's deliveries.
  func sinkGroup(_ channel: Channel) -> String {
    switch channel {
    case .email: "\(prefix)-email"
    case .inapp: "\(prefix)-inbox"
    }
  }

  /// The input topic of that name; nil for another.
  func input(named name: ByteView) -> InputTopic? {
    InputTopic.allCases.first { topic in self.name(of: topic).withByteView { $0 == name } }
  }

  /// Checks that the topics are there with P partitions each: with another number a recipient's home is elsewhere.
  ///
  /// - Throws: `AuditFault.noTopic`, `AuditFault.partitionCount`, `KafkaError`.
  func check(_ names: [String], in cluster: any KafkaCluster) throws {
    let found = try Patience.retry(.seconds(10)) { () throws(KafkaError) in
      try cluster.admin.topics(timeout: .seconds(5))
    }
    for name in names {
      guard let topic = found.first(where: { $0.name == name }) else { throw AuditFault.noTopic(name) }
      guard topic.partitionCount == Int(partitionCount) else {
        throw AuditFault.partitionCount(topic: name, found: topic.partitionCount, expected: partitionCount)
      }
    }
  }
}

/// Why an audit or an account came to no end. Each says what to do.
public enum AuditFault: Error, Equatable, CustomStringConvertible {
  /// There is no such home partition.
  case noSuchPartition(Int32, count: Int32)
  /// A topic of the deployment is missing.
  case noTopic(String)
  /// A topic has another number of partitions than the configuration says.
  case partitionCount(topic: String, found: Int, expected: Int32)
  /// A record of the state topic cannot be read.
  case state(StateFault, TopicPartition, offset: Int64)
  /// A name that no recipient can have.
  case recipient(Rejection)

  /// What happened and what to do.
  public var description: String {
    switch self {
    case .noSuchPartition(let partition, let count):
      "there is no partition \(partition): the configuration says \(count) (`topics.partitions`), 0 to \(count - 1)"
    case .noTopic(let topic):
      "the topic \(topic) does not exist: check the prefix (`topics.prefix`), or run `tidings topics apply`"
    case .partitionCount(let topic, let found, let expected):
      "\(topic) has \(found) partitions, the configuration says \(expected) (`topics.partitions`)"
    case .state(let fault, let place, let offset):
      "\(place), offset \(offset): \(fault). `tidings state inspect --partition \(place.partition)` says what to do"
    case .recipient(let rejection): "no recipient can have that name: \(rejection.detail)"
    }
  }
}
