import CLibrdkafka
import Foundation
import Synchronization

/// The admin requests by librdkafka. Its clients are made when they are first needed, one for each isolation level.
final class LibrdkafkaAdmin: ClusterAdmin {
  private struct Clients: ~Copyable {
    var committed: ClientHandle?
    var uncommitted: ClientHandle?
  }

  private let factory: ClientFactory
  private let clients = Mutex(Clients())

  init(_ factory: ClientFactory) { self.factory = factory }

  func topics(timeout: Duration) throws(KafkaError) -> [TopicDescription] {
    let client = try client()
    var metadata: UnsafePointer<rd_kafka_metadata>?
    try KafkaError.check(
      rd_kafka_metadata(client, 1, nil, &metadata, timeout.wholeMilliseconds),
      "asking \(factory.configuration.bootstrapServers) for its topics")
    guard let metadata else { return [] }
    defer { rd_kafka_metadata_destroy(metadata) }
    let topics = UnsafeBufferPointer(start: metadata.pointee.topics, count: Int(metadata.pointee.topic_cnt))
    return topics.map { topic in
      let partitions = UnsafeBufferPointer(start: topic.partitions, count: Int(topic.partition_cnt))
      return TopicDescription(
        name: String(cString: topic.topic), partitionCount: partitions.count,
        replicationFactor: Int(partitions.first?.replica_cnt ?? 0))
    }.sorted { $0.name < $1.name }
  }

  func configuration(ofTopic topic: String, timeout: Duration) throws(KafkaError) -> [String: String] {
    let attempt = "asking for the configuration of \(topic)"
    let resource = rd_kafka_ConfigResource_new(RD_KAFKA_RESOURCE_TOPIC, topic)
    defer { rd_kafka_ConfigResource_destroy(resource) }
    let event = try request(RD_KAFKA_ADMIN_OP_DESCRIBECONFIGS, timeout: timeout, attempt) {
      client, options, queue in
      var resources = [resource]
      rd_kafka_DescribeConfigs(client, &resources, 1, options, queue)
    }
    var count = 0
    guard let described = rd_kafka_DescribeConfigs_result_resources(event.pointer, &count)?.pointee,
      count == 1
    else { throw KafkaError(.unknownTopicOrPartition, message: "\(attempt): no answer") }
    try KafkaError.check(rd_kafka_ConfigResource_error(described), attempt)
    var configuration: [String: String] = [:]
    guard let entries = rd_kafka_ConfigResource_configs(described, &count) else { return [:] }
    for entry in UnsafeBufferPointer(start: entries, count: count) {
      guard let name = rd_kafka_ConfigEntry_name(entry), let value = rd_kafka_ConfigEntry_value(entry) else {
        continue
      }
      configuration[String(cString: name)] = String(cString: value)
    }
    return configuration
  }

  func create(_ topics: [NewTopic], timeout: Duration) throws(KafkaError) {
    guard !topics.isEmpty else { return }
    var requests: [OpaquePointer?] = []
    defer { rd_kafka_NewTopic_destroy_array(&requests, requests.count) }
    for topic in topics { requests.append(try Self.request(for: topic)) }
    let event = try request(RD_KAFKA_ADMIN_OP_CREATETOPICS, timeout: timeout, "creating topics", waits: true)
    {
      client, options, queue in
      rd_kafka_CreateTopics(client, &requests, requests.count, options, queue)
    }
    var count = 0
    let results = rd_kafka_CreateTopics_result_topics(event.pointer, &count)
    for result in UnsafeBufferPointer(start: results, count: count) {
      let code = rd_kafka_topic_result_error(result)
      guard code != RD_KAFKA_RESP_ERR_NO_ERROR else { continue }
      let name = rd_kafka_topic_result_name(result).map { String(cString: $0) } ?? "?"
      let text = rd_kafka_topic_result_error_string(result).map { String(cString: $0) } ?? "refused"
      throw KafkaError(.init(rawValue: code.rawValue), message: "creating topic \(name): \(text)")
    }
    try awaitTopics(Set(topics.map(\.name)), timeout: timeout)
  }

  // The controller answers; the broker that is asked next may learn of the topics some milliseconds later. Nothing tells
  // when it has: it is asked again and again, and the thread sleeps in between, as it does in every call of an admin.
  private func awaitTopics(_ names: Set<String>, timeout: Duration) throws(KafkaError) {
    let deadline = ContinuousClock.now + timeout
    while true {
      let missing = names.subtracting(try self.topics(timeout: timeout).map(\.name))
      if missing.isEmpty { return }
      guard .now < deadline else {
        let list = missing.sorted().joined(separator: ", ")
        throw KafkaError(.timedOut, message: "created, but not yet seen: \(list)", isRetriable: true)
      }
      usleep(20_000)
    }
  }

  func deleteRecords(
    before offsets: [PartitionOffset], timeout: Duration
  ) throws(KafkaError) -> [PartitionOffset] {
    guard !offsets.isEmpty else { return [] }
    let list = PartitionList(offsets)
    let deletion = rd_kafka_DeleteRecords_new(list.pointer)
    defer { rd_kafka_DeleteRecords_destroy(deletion) }
    let attempt = "deleting records"
    let event = try request(RD_KAFKA_ADMIN_OP_DELETERECORDS, timeout: timeout, attempt, waits: true) {
      client, options, queue in
      var deletions = [deletion]
      rd_kafka_DeleteRecords(client, &deletions, 1, options, queue)
    }
    guard let result = rd_kafka_DeleteRecords_result_offsets(event.pointer) else { return [] }
    try PartitionList.checkEach(of: result, attempt)
    return PartitionList.positions(of: result).compactMap { $0 }
  }

  func offsets(
    of partitions: [TopicPartition], isolation: IsolationLevel, timeout: Duration
  ) throws(KafkaError) -> [OffsetRange] {
    guard !partitions.isEmpty else { return [] }
    let client = try client(isolation)
    let earliest = try Self.offsets(client, partitions, PartitionOffset.beginning, timeout)
    let latest = try Self.offsets(client, partitions, PartitionOffset.end, timeout)
    return zip(partitions, zip(earliest, latest)).map { partition, range in
      OffsetRange(topicPartition: partition, earliest: range.0, latest: range.1)
    }
  }

  func offsets(
    of partitions: [TopicPartition], since milliseconds: Int64, timeout: Duration
  ) throws(KafkaError) -> [Int64?] {
    guard !partitions.isEmpty else { return [] }
    // What lies before the epoch would be taken for a logical offset.
    return try Self.offsets(client(), partitions, max(0, milliseconds), timeout).map { $0 < 0 ? nil : $0 }
  }

  func committedOffsets(ofGroup group: String, timeout: Duration) throws(KafkaError) -> [PartitionOffset] {
    let attempt = "asking for the offsets of group \(group)"
    let listing = rd_kafka_ListConsumerGroupOffsets_new(group, nil)
    defer { rd_kafka_ListConsumerGroupOffsets_destroy(listing) }
    let event = try request(
      RD_KAFKA_ADMIN_OP_LISTCONSUMERGROUPOFFSETS, timeout: timeout, attempt, isStable: true
    ) { client, options, queue in
      var listings = [listing]
      rd_kafka_ListConsumerGroupOffsets(client, &listings, 1, options, queue)
    }
    var count = 0
    guard let result = rd_kafka_ListConsumerGroupOffsets_result_groups(event.pointer, &count)?.pointee,
      count == 1
    else { return [] }
    if let failure = rd_kafka_group_result_error(result) { throw KafkaError(borrowing: failure, attempt) }
    guard let list = rd_kafka_group_result_partitions(result) else { return [] }
    try PartitionList.checkEach(of: list, attempt)
    return PartitionList.positions(of: list).compactMap { $0 }.sorted {
      $0.topicPartition < $1.topicPartition
    }
  }

  func members(ofGroup group: String, timeout: Duration) throws(KafkaError) -> [GroupMember] {
    let attempt = "asking for the members of group \(group)"
    let event = try request(RD_KAFKA_ADMIN_OP_DESCRIBECONSUMERGROUPS, timeout: timeout, attempt) {
      client, options, queue in
      group.withCString { name in
        var names: [UnsafePointer<CChar>?] = [name]
        rd_kafka_DescribeConsumerGroups(client, &names, 1, options, queue)
      }
    }
    var count = 0
    guard let result = rd_kafka_DescribeConsumerGroups_result_groups(event.pointer, &count)?.pointee,
      count == 1
    else { return [] }
    if let failure = rd_kafka_ConsumerGroupDescription_error(result) {
      let error = KafkaError(borrowing: failure, attempt)
      // What newer brokers say where older ones describe an empty group (KIP-1043).
      if error.code == .groupIDNotFound { return [] }
      throw error
    }
    return (0..<rd_kafka_ConsumerGroupDescription_member_count(result)).compactMap { index in
      guard let member = rd_kafka_ConsumerGroupDescription_member(result, index) else { return nil }
      let text = { (pointer: UnsafePointer<CChar>?) in pointer.map { String(cString: $0) } ?? "" }
      let instance = text(rd_kafka_MemberDescription_group_instance_id(member))
      return GroupMember(
        memberID: text(rd_kafka_MemberDescription_consumer_id(member)),
        clientID: text(rd_kafka_MemberDescription_client_id(member)),
        host: text(rd_kafka_MemberDescription_host(member)),
        groupInstanceID: instance.isEmpty ? nil : instance)
    }
  }

  // MARK: Requests

  /// The client of an isolation level. It lives as long as this object.
  private func client(_ isolation: IsolationLevel = .readCommitted) throws(KafkaError) -> OpaquePointer {
    let result: Result<Address, KafkaError> = clients.withLock { clients in
      do throws(KafkaError) {
        switch isolation {
        case .readCommitted:
          if clients.committed == nil { clients.committed = try factory.makeAdminClient(isolation) }
          return .success(Address(pointer: clients.committed?.pointer))
        case .readUncommitted:
          if clients.uncommitted == nil { clients.uncommitted = try factory.makeAdminClient(isolation) }
          return .success(Address(pointer: clients.uncommitted?.pointer))
        }
      } catch {
        return .failure(error)
      }
    }
    guard let pointer = try result.get().pointer else { throw .closed("admin client") }
    return pointer
  }

  // Carries a client out of the lock: librdkafka's clients may be used by any thread.
  private struct Address: @unchecked Sendable {
    let pointer: OpaquePointer?
  }

  /// Sends an admin request and waits for its event.
  ///
  /// - Parameters:
  ///   - waits: whether the broker is to answer only when it is done (`operation_timeout`).
  ///   - isStable: whether offsets in open transactions are waited for.
  func request(
    _ operation: rd_kafka_admin_op_t, timeout: Duration, _ attempt: String, waits: Bool = false,
    isStable: Bool = false, _ submit: (OpaquePointer, OpaquePointer?, OpaquePointer?) -> Void
  ) throws(KafkaError) -> EventHandle {
    let client = try client()
    let queue = rd_kafka_queue_new(client)
    defer { rd_kafka_queue_destroy(queue) }
    let options = rd_kafka_AdminOptions_new(client, operation)
    defer { rd_kafka_AdminOptions_destroy(options) }
    let milliseconds = timeout.wholeMilliseconds
    let (code, text) = withErrorText { text, size in
      let code = rd_kafka_AdminOptions_set_request_timeout(options, milliseconds, text, size)
      guard code == RD_KAFKA_RESP_ERR_NO_ERROR, waits else { return code }
      return rd_kafka_AdminOptions_set_operation_timeout(options, milliseconds, text, size)
    }
    guard code == RD_KAFKA_RESP_ERR_NO_ERROR else {
      throw KafkaError(.init(rawValue: code.rawValue), message: "\(attempt): \(text)")
    }
    if isStable {
      try KafkaError.check(rd_kafka_AdminOptions_set_require_stable_offsets(options, 1), attempt)
    }
    submit(client, options, queue)
    // The request answers by itself when its time is over; the rest is for the answer to arrive.
    guard let event = rd_kafka_queue_poll(queue, milliseconds.addingReportingOverflow(5000).partialValue)
    else {
      throw KafkaError(.timedOut, message: "\(attempt): no answer", isRetriable: true)
    }
    let handle = EventHandle(pointer: event)
    let failure = rd_kafka_event_error(event)
    guard failure == RD_KAFKA_RESP_ERR_NO_ERROR else {
      let text = rd_kafka_event_error_string(event).map { String(cString: $0) } ?? "refused"
      throw KafkaError(failure, "\(attempt): \(text)")
    }
    return handle
  }

  private static func request(for topic: NewTopic) throws(KafkaError) -> OpaquePointer {
    let (created, text) = withErrorText {
      rd_kafka_NewTopic_new(
        topic.name, Int32(clamping: topic.partitionCount), Int32(clamping: topic.replicationFactor ?? -1), $0,
        $1)
    }
    guard let created else { throw KafkaError(.invalidArgument, message: "topic \(topic.name): \(text)") }
    for (name, value) in topic.configuration {
      let code = rd_kafka_NewTopic_set_config(created, name, value)
      guard code != RD_KAFKA_RESP_ERR_NO_ERROR else { continue }
      rd_kafka_NewTopic_destroy(created)
      throw KafkaError(code, "topic \(topic.name), setting \(name)")
    }
    return created
  }

  // librdkafka asks with the offset field as the timestamp, so that -1 and -2 have the protocol's meaning: one request
  // to each leader, where watermarks take two for each partition.
  private static func offsets(
    _ client: OpaquePointer, _ partitions: [TopicPartition], _ timestamp: Int64, _ timeout: Duration
  ) throws(KafkaError) -> [Int64] {
    let list = PartitionList(partitions.map { PartitionOffset($0, offset: timestamp) })
    let attempt = "asking for the offsets of \(partitions.count) partitions"
    do throws(KafkaError) {
      try KafkaError.check(
        rd_kafka_offsets_for_times(client, list.pointer, timeout.wholeMilliseconds), attempt)
      try list.checkEach(attempt)
    } catch {
      guard leaderless.contains(error.code), !error.isFatal else { throw error }
      throw error.asRetriable
    }
    return list.elements.map(\.offset)
  }

  // What is said of partitions that have no leader at all, or whose leader does not know yet that it is, or has lost its
  // disk; nothing tells them from partitions that do not exist.
  private static let leaderless: Set<KafkaError.Code> = [
    .unknownPartitionLocally, .unknownTopicOrPartition,
    KafkaError.Code(rawValue: RD_KAFKA_RESP_ERR_KAFKA_STORAGE_ERROR.rawValue),
  ]
}

/// Owns an event, and with it the results of a request.
struct EventHandle: ~Copyable {
  let pointer: OpaquePointer

  deinit { rd_kafka_event_destroy(pointer) }
}
