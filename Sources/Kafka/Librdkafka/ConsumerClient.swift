import CLibrdkafka
import Contract
import Foundation

/// The part of a consumer that group members and log readers share: polling without allocation.
///
/// No access to its variables spans a call of librdkafka that may call back (exclusive access, design §5).
final class ConsumerClient {
  private let handle: ClientHandle
  private var topics: TopicTable?
  private var message: MessageHandle?
  private let headerBuffer = HeaderBuffer()
  private var reminder: FetchReminder?

  init(_ handle: consuming ClientHandle) {
    self.handle = handle
    reminder = FetchReminder(client: self.handle.pointer)
  }

  deinit {
    // Messages, topic objects and queues refer to the client, which waits for them when it is destroyed.
    message = nil
    topics = nil
    reminder = nil
  }

  var pointer: OpaquePointer { handle.pointer }
  var context: ClientContext { handle.context }

  /// Sets what `topicIndex` counts in.
  func setTopics(_ names: [String]) throws(KafkaError) {
    let table = try TopicTable(names, client: pointer)
    topics = consume table
  }

  /// Drops the last message: its views end here.
  func releaseMessage() { message = nil }

  /// The next record or event; the views of the one before end here.
  func poll(milliseconds: Int32) -> ConsumerEvent {
    message = nil
    guard let polled = rd_kafka_consumer_poll(pointer, milliseconds) else {
      reminder?.foundNothing()
      return .none
    }
    message = MessageHandle(pointer: polled)
    reminder?.took(bytes: polled.pointee.key_len + polled.pointee.len)
    switch polled.pointee.err {
    case RD_KAFKA_RESP_ERR_NO_ERROR:
      guard let topicIndex = topics?.index(of: polled.pointee.rkt) else { return .none }
      return .record(record(polled, topicIndex: topicIndex))
    case RD_KAFKA_RESP_ERR__PARTITION_EOF:
      guard let topicIndex = topics?.index(of: polled.pointee.rkt) else { return .none }
      return .endOfPartition(
        topicIndex: topicIndex, partition: polled.pointee.partition, offset: polled.pointee.offset)
    default:
      return .error(error(polled))
    }
  }

  func assign(_ positions: [PartitionOffset]) throws(KafkaError) {
    let list = PartitionList(positions)
    try KafkaError.check(rd_kafka_assign(pointer, list.pointer), "assigning \(positions.count) partitions")
    reminder?.assigned(positions.map(\.topicPartition))
  }

  func unassign() throws(KafkaError) {
    try KafkaError.check(rd_kafka_assign(pointer, nil), "giving all partitions back")
    reminder?.assigned([])
  }

  /// Partitions were paused, resumed or sought in: what was fetched of them may be of no use.
  func flowChanged() { reminder?.flowChanged() }

  func watermarks(
    of partition: TopicPartition, timeout: Duration
  ) throws(KafkaError) -> (low: Int64, high: Int64) {
    var low: Int64 = -1
    var high: Int64 = -1
    try KafkaError.check(
      rd_kafka_query_watermark_offsets(
        pointer, partition.topic, partition.partition, &low, &high, timeout.wholeMilliseconds),
      "asking for the watermarks of \(partition)")
    return (low, high)
  }

  private func record(_ message: UnsafeMutablePointer<rd_kafka_message_t>, topicIndex: Int) -> ConsumedRecord
  {
    var timestampType = RD_KAFKA_TIMESTAMP_NOT_AVAILABLE
    let timestamp = rd_kafka_message_timestamp(message, &timestampType)
    return ConsumedRecord(
      topicIndex: topicIndex, partition: message.pointee.partition, offset: message.pointee.offset,
      timestampMilliseconds: timestamp, isLogAppendTime: timestampType == RD_KAFKA_TIMESTAMP_LOG_APPEND_TIME,
      key: Self.view(message.pointee.key, message.pointee.key_len),
      value: Self.view(message.pointee.payload, message.pointee.len),
      headers: headerBuffer.fill(from: message))
  }

  private func error(_ message: UnsafeMutablePointer<rd_kafka_message_t>) -> KafkaError {
    if message.pointee.err == RD_KAFKA_RESP_ERR__FATAL, let fatal = handle.fatalError { return fatal }
    var place = "consumer"
    if let topic = message.pointee.rkt {
      place = "\(String(cString: rd_kafka_topic_name(topic))) [\(message.pointee.partition)]"
    }
    let text = rd_kafka_message_errstr(message).map { String(cString: $0) }
    return KafkaError(message.pointee.err, text.map { "\(place): \($0)" } ?? place)
  }

  private static func view(_ start: UnsafeMutableRawPointer?, _ count: Int) -> ByteView? {
    guard let start else { return nil }
    return ByteView(start: UnsafePointer(start.assumingMemoryBound(to: UInt8.self)), count: count)
  }
}

/// Owns a consumed message.
private struct MessageHandle: ~Copyable {
  let pointer: UnsafeMutablePointer<rd_kafka_message_t>

  deinit { rd_kafka_message_destroy(pointer) }
}

/// The memory that the headers of the current message are laid out in; it only grows.
private final class HeaderBuffer {
  private var start: UnsafeMutablePointer<RecordHeader>
  private var capacity = 16

  init() { start = .allocate(capacity: capacity) }

  deinit { start.deallocate() }

  /// The headers of a message; valid until the next call and as long as the message.
  func fill(from message: UnsafePointer<rd_kafka_message_t>) -> UnsafeBufferPointer<RecordHeader> {
    var parsed: OpaquePointer?
    guard rd_kafka_message_headers(message, &parsed) == RD_KAFKA_RESP_ERR_NO_ERROR, let parsed else {
      return UnsafeBufferPointer(start: nil, count: 0)
    }
    let count = rd_kafka_header_cnt(parsed)
    if count > capacity { grow(to: count) }
    for index in 0..<count {
      var name: UnsafePointer<CChar>?
      var value: UnsafeRawPointer?
      var size = 0
      guard
        rd_kafka_header_get_all(parsed, index, &name, &value, &size) == RD_KAFKA_RESP_ERR_NO_ERROR, let name
      else { return UnsafeBufferPointer(start: start, count: index) }
      let nameView = ByteView(UnsafeRawBufferPointer(start: name, count: strlen(name)))
      let valueView = value.map { ByteView(UnsafeRawBufferPointer(start: $0, count: size)) }
      (start + index).initialize(to: RecordHeader(name: nameView, value: valueView))
    }
    return UnsafeBufferPointer(start: start, count: count)
  }

  private func grow(to count: Int) {
    // Headers are trivial: what is there needs no deinitialisation.
    start.deallocate()
    capacity = max(count, capacity * 2)
    start = .allocate(capacity: capacity)
  }
}
