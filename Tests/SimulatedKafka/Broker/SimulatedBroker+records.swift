import Kafka

extension SimulatedBroker {
  /// Appends a record at once, as an upstream producer does that nothing happens to.
  ///
  /// - Returns: its offset and its append time; nil where there is no such partition.
  @discardableResult
  public func append(
    _ record: OutgoingRecord, to partition: TopicPartition
  ) -> (offset: Int64, appended: Int64)? {
    guard let log = log(partition) else { return nil }
    let timestamp = appendTime(log)
    let offset = log.append(StoredRecord(record), producer: nil, timestamp: timestamp)
    log.wakeWaiters()
    return (offset, timestamp)
  }
}

extension TransactionState {
  /// The records that the transaction under way has in the logs, by partition in the order of their offsets; none once
  /// its markers have landed.
  public var records: [(partition: TopicPartition, entries: [LogEntry])] {
    partitions.map { log in
      guard let open = log.openTransactions.first(where: { $0.producerID == producerID }) else {
        return (log.topicPartition, [])
      }
      let from = log.entries.reversed().prefix { $0.offset >= open.firstOffset }
      return (log.topicPartition, from.filter { $0.transaction === open && $0.record != nil }.reversed())
    }
  }
}
