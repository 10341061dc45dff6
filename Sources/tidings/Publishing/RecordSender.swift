import Kafka

/// Sends records to one topic, waits out a full queue, and keeps to a rate. Confined to its thread.
struct RecordSender: ~Copyable {
  let tally = DeliveryTally()

  private let producer: any IdempotentProducer
  private let topic: String
  private let stop: StopSignal
  private let rate: Int?
  private let start = ContinuousClock.now
  private var sent = 0

  /// A sender over a producer of its own.
  ///
  /// - Parameters:
  ///   - rate: the most records a second; nil for no limit.
  ///   - stop: ends waiting.
  init(
    cluster: any KafkaCluster, topic: String, recordLimit: Int, rate: Int? = nil, stop: StopSignal
  ) throws(KafkaError) {
    producer = try cluster.makeIdempotentProducer(
      IdempotentProducerOptions(topics: [topic], messageMaxBytes: recordLimit + (64 << 10)))
    self.topic = topic
    self.rate = rate
    self.stop = stop
  }

  deinit { producer.close() }

  /// Queues a record, whose `topicIndex` has to be 0; false when it is to end before there was room.
  ///
  /// - Parameter name: says which record in a failure, such as `line 12`.
  mutating func send(_ record: OutgoingRecord, name: @autoclosure @escaping @Sendable () -> String) -> Bool {
    keepRate()
    let tally = tally
    while !stop.isStopped {
      do throws(KafkaError) {
        try producer.produce(record) { tally.record($0, name: name()) }
        sent += 1
        return true
      } catch {
        guard error.code == .queueFull else {
          tally.record(.failure(error), name: name())
          return true
        }
        stop.wait(.milliseconds(5))
      }
    }
    return false
  }

  /// Waits until the broker has answered for every record.
  ///
  /// - Parameter onWait: called about every half second meanwhile.
  func flush(onWait: () -> Void) throws(KafkaError) {
    while true {
      do throws(KafkaError) {
        return try producer.flush(timeout: .milliseconds(500))
      } catch {
        guard error.code == .timedOut, !stop.isStopped else { throw error }
        onWait()
      }
    }
  }

  private func keepRate() {
    guard let rate, rate > 0 else { return }
    stop.wait(start + .seconds(1) * (Double(sent) / Double(rate)) - ContinuousClock.now)
  }
}
