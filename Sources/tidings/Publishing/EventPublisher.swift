import Contract
import Kafka

/// Publishes CloudEvents in the JSON format, each checked by the contract first, and some of them again.
/// Confined to its thread.
struct EventPublisher: ~Copyable {
  /// How events are published.
  struct Options: Sendable {
    /// The topic.
    var topic: String
    /// The largest event in bytes.
    var recordLimit = EventLimits().maxRecordBytes
    /// The share of events that are published again, 0…1.
    var repeatFraction = 0.0
    /// Fixes which ones.
    var seed: UInt64 = 0
    /// The most records a second; nil for no limit.
    var rate: Int?
  }

  private struct Repeat {
    let json: [UInt8]
    let name: String
  }

  /// What was published so far.
  var totals: PublishTotals { counter.totals }
  /// Events that break the contract and were left out.
  private(set) var refused = 0

  private var counter = PublishCounter()
  private var sender: RecordSender
  private var reader: EventLineReader
  private var repeats: RepeatSchedule<Repeat>

  init(cluster: any KafkaCluster, options: Options, stop: StopSignal) throws {
    var limits = EventLimits()
    limits.maxRecordBytes = options.recordLimit
    let reader = try EventLineReader(limits: limits)
    let sender = try RecordSender(
      cluster: cluster, topic: options.topic, recordLimit: options.recordLimit, rate: options.rate, stop: stop
    )
    self.reader = reader
    self.sender = sender
    repeats = RepeatSchedule(fraction: options.repeatFraction, seed: options.seed)
  }

  /// What the broker said so far.
  var deliveries: DeliveryTally.Count { sender.tally.count }

  /// Publishes an event, and the repeats that are due after it.
  ///
  /// - Parameter name: says which event in a failure, such as `line 12`.
  /// - Returns: whether to go on; otherwise the command is to end.
  /// - Throws: `Rejection` when the event breaks the contract: it is left out and counted.
  mutating func publish(_ json: ByteView, name: String) throws(Rejection) -> Bool {
    do throws(Rejection) {
      guard try send(json, name: name) else { return false }
    } catch {
      refused += 1
      throw error
    }
    for due in repeats.admit(Repeat(json: Array(json.buffer), name: name)) {
      guard try send(due) else { return false }
    }
    return true
  }

  /// Publishes the repeats that are left, and waits until the broker has answered for everything.
  ///
  /// - Parameter onWait: called about every half second meanwhile, with what was published and what the broker said of
  ///   it. It must not use this publisher, which is being changed.
  /// - Throws: `KafkaError` when the command is to end before that.
  mutating func finish(onWait: (PublishTotals, DeliveryTally.Count) -> Void = { _, _ in }) throws {
    for due in repeats.finish() {
      guard try send(due) else { break }
    }
    let (totals, tally) = (totals, sender.tally)
    try sender.flush { onWait(totals, tally.count) }
  }

  private mutating func send(_ due: Repeat) throws(Rejection) -> Bool {
    let result: Result<Bool, Rejection> = due.json.withUnsafeBytes { bytes in
      do throws(Rejection) {
        return .success(try send(ByteView(bytes), name: "\(due.name), again"))
      } catch {
        return .failure(error)
      }
    }
    return try result.get()
  }

  private mutating func send(_ json: ByteView, name: String) throws(Rejection) -> Bool {
    let line = try reader.read(json)
    let record = OutgoingRecord(
      topicIndex: 0, key: line.record.key, value: line.record.value, headers: line.record.headers)
    guard sender.send(record, name: name) else { return false }
    counter.count(line.event)
    return true
  }
}
