import CLibrdkafka

extension LibrdkafkaCluster {
  /// The version of librdkafka that this process runs with.
  public static var libraryVersion: String { String(cString: rd_kafka_version_str()) }

  /// Deletes topics with all their records. One that is not there is deleted already.
  ///
  /// - Throws: ``KafkaError``, the first error, naming its topic; the others may have been deleted.
  public func deleteTopics(_ names: [String], timeout: Duration) throws(KafkaError) {
    guard !names.isEmpty else { return }
    var deletions = names.map { rd_kafka_DeleteTopic_new($0) }
    defer { rd_kafka_DeleteTopic_destroy_array(&deletions, deletions.count) }
    let event = try librdkafkaAdmin.request(
      RD_KAFKA_ADMIN_OP_DELETETOPICS, timeout: timeout, "deleting topics", waits: true
    ) { client, options, queue in
      rd_kafka_DeleteTopics(client, &deletions, deletions.count, options, queue)
    }
    var count = 0
    let results = rd_kafka_DeleteTopics_result_topics(event.pointer, &count)
    for result in UnsafeBufferPointer(start: results, count: count) {
      let code = rd_kafka_topic_result_error(result)
      guard code != RD_KAFKA_RESP_ERR_NO_ERROR, code != RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART else {
        continue
      }
      let name = rd_kafka_topic_result_name(result).map { String(cString: $0) } ?? "?"
      throw KafkaError(code, "deleting topic \(name)")
    }
  }

  /// Deletes groups with their committed offsets. One that is not there is deleted already.
  ///
  /// - Throws: ``KafkaError``, the first error, naming its group, which may still have members.
  public func deleteGroups(_ names: [String], timeout: Duration) throws(KafkaError) {
    guard !names.isEmpty else { return }
    var deletions = names.map { rd_kafka_DeleteGroup_new($0) }
    defer { rd_kafka_DeleteGroup_destroy_array(&deletions, deletions.count) }
    let event = try librdkafkaAdmin.request(
      RD_KAFKA_ADMIN_OP_DELETEGROUPS, timeout: timeout, "deleting groups"
    ) { client, options, queue in
      rd_kafka_DeleteGroups(client, &deletions, deletions.count, options, queue)
    }
    var count = 0
    let results = rd_kafka_DeleteGroups_result_groups(event.pointer, &count)
    for result in UnsafeBufferPointer(start: results, count: count) {
      guard let failure = rd_kafka_group_result_error(result),
        rd_kafka_error_code(failure) != RD_KAFKA_RESP_ERR_GROUP_ID_NOT_FOUND
      else { continue }
      let name = rd_kafka_group_result_name(result).map { String(cString: $0) } ?? "?"
      throw KafkaError(borrowing: failure, "deleting group \(name)")
    }
  }
}
