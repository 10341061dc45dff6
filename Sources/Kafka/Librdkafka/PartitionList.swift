import CLibrdkafka
import Foundation

/// Owns one of librdkafka's lists of partitions, with offsets, metadata and an error each.
struct PartitionList: ~Copyable {
  let pointer: UnsafeMutablePointer<rd_kafka_topic_partition_list_t>

  /// Partitions without offsets.
  init(_ partitions: [TopicPartition]) {
    pointer = rd_kafka_topic_partition_list_new(Int32(partitions.count))
    for partition in partitions {
      rd_kafka_topic_partition_list_add(pointer, partition.topic, partition.partition)
    }
  }

  /// Partitions with offsets and metadata.
  init(_ positions: [PartitionOffset]) {
    pointer = rd_kafka_topic_partition_list_new(Int32(positions.count))
    for position in positions {
      let partition = position.topicPartition
      let added = rd_kafka_topic_partition_list_add(pointer, partition.topic, partition.partition)
      added?.pointee.offset = position.offset
      if let metadata = position.metadata {
        added?.pointee.metadata_size = metadata.utf8.count
        // The list frees it.
        added?.pointee.metadata = UnsafeMutableRawPointer(strdup(metadata))
      }
    }
  }

  /// All partitions of topics, for a subscription.
  init(topics: [String]) {
    self.init(topics.map { TopicPartition(topic: $0, partition: -1) })
  }

  /// Takes a list over.
  init(consuming pointer: UnsafeMutablePointer<rd_kafka_topic_partition_list_t>) {
    self.pointer = pointer
  }

  deinit { rd_kafka_topic_partition_list_destroy(pointer) }

  /// The entries in their order.
  var elements: UnsafeBufferPointer<rd_kafka_topic_partition_t> { Self.elements(of: pointer) }

  /// The entries as positions; those without an offset are nil.
  var positions: [PartitionOffset?] { elements.map(Self.position) }

  /// Throws the first error of an entry, naming its partition. That something goes on in the background is none.
  func checkEach(_ attempt: @autoclosure () -> String) throws(KafkaError) {
    try Self.checkEach(of: pointer, attempt())
  }

  /// Throws the first error of an entry of a list that librdkafka owns, naming its partition.
  static func checkEach(
    of list: UnsafePointer<rd_kafka_topic_partition_list_t>, _ attempt: @autoclosure () -> String
  ) throws(KafkaError) {
    for element in elements(of: list)
    where element.err != RD_KAFKA_RESP_ERR_NO_ERROR && element.err != RD_KAFKA_RESP_ERR__IN_PROGRESS {
      throw KafkaError(element.err, "\(attempt()): \(partition(element))")
    }
  }

  /// The partitions of a list that librdkafka owns.
  static func partitions(of list: UnsafePointer<rd_kafka_topic_partition_list_t>) -> [TopicPartition] {
    elements(of: list).map(partition)
  }

  /// The positions in a list that librdkafka owns.
  static func positions(of list: UnsafePointer<rd_kafka_topic_partition_list_t>) -> [PartitionOffset?] {
    elements(of: list).map(position)
  }

  static func elements(
    of list: UnsafePointer<rd_kafka_topic_partition_list_t>
  ) -> UnsafeBufferPointer<rd_kafka_topic_partition_t> {
    UnsafeBufferPointer(start: list.pointee.elems, count: Int(list.pointee.cnt))
  }

  private static func partition(_ element: rd_kafka_topic_partition_t) -> TopicPartition {
    TopicPartition(topic: String(cString: element.topic), partition: element.partition)
  }

  private static func position(_ element: rd_kafka_topic_partition_t) -> PartitionOffset? {
    guard element.offset >= 0 else { return nil }
    var metadata: String?
    if let bytes = element.metadata, element.metadata_size > 0 {
      metadata = String(
        decoding: UnsafeRawBufferPointer(start: bytes, count: element.metadata_size), as: UTF8.self)
    }
    return PartitionOffset(partition(element), offset: element.offset, metadata: metadata)
  }
}
