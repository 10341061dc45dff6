import CLibrdkafka

/// A group's member by librdkafka.
final class LibrdkafkaGroupConsumer: GroupConsumer, RebalanceHandler {
  private let client: ConsumerClient
  private weak var listener: (any RebalanceListener)?
  private var assigned: [TopicPartition] = []
  private var paused: Set<TopicPartition> = []
  private var isRebalanceAnswered = true
  private var isClosed = false

  init(_ handle: consuming ClientHandle) {
    client = ConsumerClient(handle)
    // Callbacks and errors of the client come through its one poll.
    rd_kafka_poll_set_consumer(client.pointer)
    client.context.rebalanceHandler = self
  }

  func subscribe(to topics: [String], listener: any RebalanceListener) throws(KafkaError) {
    try checkOpen()
    self.listener = listener
    try client.setTopics(topics)
    let list = PartitionList(topics: topics)
    try KafkaError.check(
      rd_kafka_subscribe(client.pointer, list.pointer), "subscribing to \(topics.joined(separator: ", "))")
  }

  func poll(timeout: Duration) -> ConsumerEvent {
    guard !isClosed else { return .error(.closed("consumer")) }
    return client.poll(milliseconds: timeout.wholeMilliseconds)
  }

  // MARK: Assignment

  func assign(_ positions: [PartitionOffset]) throws(KafkaError) {
    isRebalanceAnswered = true
    try resumeAll()
    try client.assign(positions)
    assigned = positions.map(\.topicPartition)
  }

  func unassign() throws(KafkaError) {
    isRebalanceAnswered = true
    // librdkafka keeps the pause flag over unassign and assign.
    try resumeAll()
    try client.unassign()
    assigned = []
  }

  func rebalance(_ kind: rd_kafka_resp_err_t, _ partitions: [TopicPartition]) {
    isRebalanceAnswered = false
    // The views of the last record do not outlive what the listener may do.
    client.releaseMessage()
    switch kind {
    case RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS:
      listener?.partitionsAssigned(partitions)
    case RD_KAFKA_RESP_ERR__REVOKE_PARTITIONS:
      listener?.partitionsRevoked(partitions, lost: assignmentLost)
    default:
      let code = KafkaError.Code(rawValue: kind.rawValue)
      client.context.log.record(
        level: 3, facility: "REBALANCE", text: "a rebalance failed: \(code.explanation)")
    }
    guard !isRebalanceAnswered else { return }
    do {
      try unassign()
    } catch {
      client.context.log.record(level: 3, facility: "REBALANCE", text: "\(error)")
    }
    guard kind != RD_KAFKA_RESP_ERR__REVOKE_PARTITIONS || listener != nil else { return }
    client.context.log.record(
      level: 3, facility: "REBALANCE", text: "a rebalance was left unanswered: taking no partitions")
  }

  var assignmentLost: Bool { rd_kafka_assignment_lost(client.pointer) != 0 }

  // MARK: Flow

  func pause(_ partitions: [TopicPartition]) throws(KafkaError) {
    let list = PartitionList(partitions)
    try KafkaError.check(rd_kafka_pause_partitions(client.pointer, list.pointer), "pausing")
    try list.checkEach("pausing")
    paused.formUnion(partitions)
    client.flowChanged()
  }

  func resume(_ partitions: [TopicPartition]) throws(KafkaError) {
    let list = PartitionList(partitions)
    try KafkaError.check(rd_kafka_resume_partitions(client.pointer, list.pointer), "resuming")
    try list.checkEach("resuming")
    paused.subtract(partitions)
    client.flowChanged()
  }

  private func resumeAll() throws(KafkaError) {
    guard !paused.isEmpty else { return }
    try resume(Array(paused))
  }

  func seek(_ positions: [PartitionOffset]) throws(KafkaError) {
    guard !positions.isEmpty else { return }
    client.releaseMessage()
    let running = positions.map(\.topicPartition).filter { !paused.contains($0) }
    // Pausing drops what was fetched, so that nothing of the old position appears. A time-out of 0 because librdkafka
    // before 2.1 waits only a thousandth of any other; the broker thread takes the three steps in their order. While the
    // position of an assignment is still asked for, its answer may come last and undo the seek.
    try pause(running)
    let list = PartitionList(positions)
    try KafkaError.check(
      rd_kafka_seek_partitions(client.pointer, list.pointer, 0), "seeking \(positions.count) partitions")
    // With a time-out of 0 each entry says that it is in progress; what cannot be sought is an error event.
    try resume(running)
  }

  // MARK: Offsets

  func committed(
    _ partitions: [TopicPartition], timeout: Duration
  ) throws(KafkaError) -> [PartitionOffset?] {
    guard !partitions.isEmpty else { return [] }
    let list = PartitionList(partitions)
    try KafkaError.check(
      rd_kafka_committed(client.pointer, list.pointer, timeout.wholeMilliseconds),
      "asking for committed offsets")
    try list.checkEach("asking for committed offsets")
    return list.positions
  }

  func commit(_ offsets: [PartitionOffset]) throws(KafkaError) {
    guard !offsets.isEmpty else { return }
    let list = PartitionList(offsets)
    try KafkaError.check(
      rd_kafka_commit(client.pointer, list.pointer, 0), "committing \(offsets.count) offsets")
    try list.checkEach("committing offsets")
  }

  func watermarks(
    of partition: TopicPartition, timeout: Duration
  ) throws(KafkaError) -> (low: Int64, high: Int64) {
    try client.watermarks(of: partition, timeout: timeout)
  }

  func cachedHighWatermark(of partition: TopicPartition) -> Int64? {
    var low: Int64 = -1
    var high: Int64 = -1
    let code = rd_kafka_get_watermark_offsets(
      client.pointer, partition.topic, partition.partition, &low, &high)
    return code == RD_KAFKA_RESP_ERR_NO_ERROR && high >= 0 ? high : nil
  }

  func groupMetadata() throws(KafkaError) -> any GroupMetadata {
    guard let metadata = rd_kafka_consumer_group_metadata(client.pointer) else {
      throw KafkaError(.wrongState, message: "the consumer has no group")
    }
    return LibrdkafkaGroupMetadata(pointer: metadata)
  }

  // MARK: End

  func close() throws(KafkaError) {
    guard !isClosed else { return }
    client.releaseMessage()
    let code = rd_kafka_consumer_close(client.pointer)
    isClosed = true
    try KafkaError.check(code, "leaving the group")
  }

  private func checkOpen() throws(KafkaError) {
    if isClosed { throw .closed("consumer") }
  }
}

/// Owns librdkafka's group metadata.
// Unchecked: it is never changed, and librdkafka takes it as constant and copies it, so that a step in the background
// may hold it.
final class LibrdkafkaGroupMetadata: GroupMetadata, @unchecked Sendable {
  let pointer: OpaquePointer

  init(pointer: OpaquePointer) { self.pointer = pointer }

  deinit { rd_kafka_consumer_group_metadata_destroy(pointer) }
}
