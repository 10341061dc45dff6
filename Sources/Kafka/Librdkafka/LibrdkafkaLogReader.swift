import CLibrdkafka

/// A log reader by librdkafka: a consumer that is assigned partitions and joins nothing.
final class LibrdkafkaLogReader: LogReader {
  private let client: ConsumerClient
  private var isClosed = false

  init(_ handle: consuming ClientHandle, topics: [String]) throws(KafkaError) {
    client = ConsumerClient(handle)
    rd_kafka_poll_set_consumer(client.pointer)
    try client.setTopics(topics)
  }

  func assign(_ positions: [PartitionOffset]) throws(KafkaError) {
    if isClosed { throw .closed("log reader") }
    if positions.isEmpty {
      try client.unassign()
    } else {
      try client.assign(positions)
    }
  }

  func poll(timeout: Duration) -> ConsumerEvent {
    guard !isClosed else { return .error(.closed("log reader")) }
    return client.poll(milliseconds: timeout.wholeMilliseconds)
  }

  func watermarks(
    of partition: TopicPartition, timeout: Duration
  ) throws(KafkaError) -> (low: Int64, high: Int64) {
    try client.watermarks(of: partition, timeout: timeout)
  }

  func close() {
    guard !isClosed else { return }
    isClosed = true
    client.releaseMessage()
    rd_kafka_consumer_close(client.pointer)
  }
}
