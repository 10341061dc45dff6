import Kafka
import Logging
import Pipeline

/// Looks at the state of one home partition, and mends it by hand: the core of `tidings state`.
///
/// It reads the state log as a restore does. What it writes is one transaction of a state record and the group's
/// offsets, under a transactional id that no worker has, as the group's only member (`SoleMembership`): living
/// processors are never disturbed, and never overtaken. Confined to the thread that calls it; every call waits.
public struct StateTool {
  let cluster: any KafkaCluster
  let configuration: ProcessorConfiguration
  /// The home partition.
  public let partition: Int32
  let instants: any InstantSource
  /// How long the brokers may take for an answer that they owe, such as the end of a dead worker's transaction.
  let patience: Duration

  /// A tool for a partition.
  ///
  /// - Throws: `StateToolFault.noSuchPartition`.
  public init(
    cluster: any KafkaCluster, configuration: ProcessorConfiguration, partition: Int32,
    instants: any InstantSource = SystemInstants(), patience: Duration = .seconds(30)
  ) throws(StateToolFault) {
    guard partition >= 0, partition < configuration.partitionCount else {
      throw .noSuchPartition(partition, count: configuration.partitionCount)
    }
    self.cluster = cluster
    self.configuration = configuration
    self.partition = partition
    self.instants = instants
    self.patience = patience
  }

  /// How far ahead of this machine an instant may be that a clock is set to, in milliseconds: the bound at which
  /// processors refuse a clock (design §3).
  static let clockTolerance: Int64 = 60_000

  var place: TopicPartition { TopicPartition(topic: configuration.stateTopic, partition: partition) }

  // MARK: - Look

  /// The topics have to be there, as the configuration says.
  func checkTopics() throws {
    let found = try Patience.retry(.seconds(10)) { () throws(KafkaError) in
      try cluster.admin.topics(timeout: .seconds(5))
    }
    let counts = Dictionary(found.map { ($0.name, $0.partitionCount) }) { first, _ in first }
    for topic in configuration.inputTopics + [configuration.stateTopic] {
      guard let count = counts[topic] else { throw ProcessorFault.missingTopic(topic) }
      guard count == Int(configuration.partitionCount) else {
        throw ProcessorFault.partitionCount(
          topic: topic, found: count, expected: configuration.partitionCount)
      }
    }
  }

  /// The members of the processors' group; nil where the cluster does not say.
  func members() throws(KafkaError) -> [GroupMember]? {
    do throws(KafkaError) {
      return try Patience.retry(.seconds(10)) { () throws(KafkaError) in
        try cluster.admin.members(ofGroup: configuration.groupID, timeout: .seconds(10))
      }
    } catch {
      guard error.code == .unsupported else { throw error }
      return nil
    }
  }

  /// Reads the state, and asks where group and topics stand. The group first: its offsets wait for the transactions
  /// that hold them, so that the log read after it holds what they hold (design §5.4).
  ///
  /// - Parameter isMoving: whether processors are at work, so that the state goes on behind the group's offsets.
  func look(
    isMoving: Bool, progress: (StateReadProgress) -> Void, between: () throws -> Void = {}
  ) throws -> (state: RestoredState, inputs: [InputAgreement]) {
    let places = InputTopic.allCases.map {
      TopicPartition(topic: configuration.topic($0.name), partition: partition)
    }
    let committed = try Patience.retry(patience) { () throws(KafkaError) in
      try cluster.admin.committedOffsets(ofGroup: configuration.groupID, timeout: .seconds(10))
    }
    try between()
    var group: [InputTopic: Int64] = [:]
    for (topic, place) in zip(InputTopic.allCases, places) {
      group[topic] = committed.first { $0.topicPartition == place }?.offset
    }
    let state = try RestoredState.read(
      partition, of: cluster, configuration, committed: group, patience: patience, progress: progress,
      between: between)
    let ranges = try Patience.retry(patience) { () throws(KafkaError) in
      try cluster.admin.offsets(of: places, isolation: .readUncommitted, timeout: .seconds(10))
    }
    let positions =
      isMoving ? state.groupPositions ?? state.lastHeader?.positions : state.lastHeader?.positions
    let inputs = zip(InputTopic.allCases, ranges).map { topic, range in
      let position = positions.map { $0[topic] }
      return InputAgreement(
        topic: topic, place: range.topicPartition, state: position.flatMap { $0 < 0 ? nil : $0 },
        group: group[topic],
        low: range.earliest, high: range.latest)
    }
    return (state, inputs)
  }
}
