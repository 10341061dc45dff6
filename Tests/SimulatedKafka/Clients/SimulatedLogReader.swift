import Kafka

/// A reader of explicit partitions in a world.
final class SimulatedLogReader: LogReader {
  private let process: SimulatedProcess
  private let options: LogReaderOptions
  private let fetcher: Fetcher
  private var isClosed = false

  init(_ process: SimulatedProcess, _ options: LogReaderOptions) {
    self.process = process
    self.options = options
    fetcher = Fetcher(
      process, options.isolation, offsetReset: .error, wait: process.world.latencies.readerFetchWait)
    process.onEnd { [weak fetcher] in fetcher?.stop() }
  }

  func assign(_ positions: [PartitionOffset]) throws(KafkaError) {
    guard process.isAlive else { throw process.deathError }
    guard !isClosed else { throw KafkaError(.closed, message: "the log reader is closed") }
    fetcher.assign(try process.resolve(positions, topics: options.topics))
  }

  func poll(timeout: Duration) -> ConsumerEvent {
    guard process.isAlive else { return .error(process.deathError) }
    guard !isClosed else {
      return .error(KafkaError(.closed, message: "the log reader is closed"))
    }
    if let event = fetcher.next() { return event }
    guard process.idle(for: timeout.milliseconds, isDone: { fetcher.hasEvents }) else { return .none }
    return fetcher.next() ?? .none
  }

  func watermarks(
    of partition: TopicPartition, timeout: Duration
  ) throws(KafkaError) -> (low: Int64, high: Int64) {
    try process.watermarks(of: partition, options.isolation, timeout: timeout)
  }

  func close() {
    isClosed = true
    fetcher.stop()
  }
}

extension SimulatedProcess {
  /// The logs of positions, with the places of their topics in a client's list.
  func resolve(
    _ positions: [PartitionOffset], topics: [String]
  ) throws(KafkaError) -> [(log: PartitionLog, topicIndex: Int, offset: Int64)] {
    var resolved: [(log: PartitionLog, topicIndex: Int, offset: Int64)] = []
    resolved.reserveCapacity(positions.count)
    for position in positions {
      guard let log = world.broker.log(position.topicPartition),
        let index = topics.firstIndex(of: position.topicPartition.topic)
      else {
        throw KafkaError(
          .unknownPartitionLocally, message: "\(position.topicPartition) is not known")
      }
      resolved.append((log, index, position.offset))
    }
    return resolved
  }

  /// Asks where a partition begins and ends.
  func watermarks(
    of partition: TopicPartition, _ isolation: IsolationLevel, timeout: Duration
  ) throws(KafkaError) -> (low: Int64, high: Int64) {
    guard let log = world.broker.log(partition) else {
      throw KafkaError(
        .unknownPartitionLocally, message: "\(partition) is not known")
    }
    return try ask(.partition(log), timeout: timeout, "asking for the watermarks of \(partition)") { answer in
      answer((log.startOffset, log.end(isolation)))
    }
  }
}
