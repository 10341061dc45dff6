import Contract
import Foundation
import Kafka

extension StateTool {
  /// The number of the partition's last decision, from the topic of decisions: for a state that begins anew and whose
  /// log no longer says it. The ids of decisions are to stay unique.
  ///
  /// - Returns: nil where the topic holds none, or is not there.
  func lastDecision() throws -> UInt64? {
    let place = TopicPartition(topic: configuration.topic("decisions"), partition: partition)
    let topics = try cluster.admin.topics(timeout: .seconds(10))
    guard topics.contains(where: { $0.name == place.topic && $0.partitionCount > Int(partition) }) else {
      return nil
    }
    let ranges = try Patience.retry(patience) { () throws(KafkaError) in
      try cluster.admin.offsets(of: [place], isolation: .readCommitted, timeout: .seconds(10))
    }
    guard let range = ranges.first else { return nil }
    let reader = try cluster.makeLogReader(
      LogReaderOptions(topics: [place.topic], isolation: .readCommitted))
    defer { reader.close() }
    // From the end back, in steps that grow: the last offsets may be markers and aborted transactions only.
    var end = range.latest
    var step: Int64 = 16
    while end > range.earliest {
      let start = max(range.earliest, end - step)
      if let number = try lastDecision(from: start, to: end, of: place, by: reader) { return number }
      end = start
      step *= 4
    }
    return nil
  }

  private func lastDecision(
    from start: Int64, to end: Int64, of place: TopicPartition, by reader: any LogReader
  ) throws -> UInt64? {
    try reader.assign([PartitionOffset(place, offset: start)])
    var last: UInt64?
    let deadline = ContinuousClock.now + patience
    while ContinuousClock.now < deadline {
      switch reader.poll(timeout: .milliseconds(100)) {
      case .none: continue
      case .record(let record):
        guard record.offset < end else { return last }
        if let value = record.value { last = Self.lastNumber(in: value, partition) ?? last }
        if record.offset + 1 >= end { return last }
      case .endOfPartition(_, _, let offset): if offset >= end { return last }
      case .error(let error):
        guard error.disposition == .retry else { throw error.during("reading \(place)") }
      }
    }
    throw StateToolFault.heldLog(place, position: start, end: end)
  }

  /// The number in the last id `<partition>-<number>` of a record of decisions. No text in it can look like that:
  /// quotes within strings are escaped.
  static func lastNumber(in decisions: ByteView, _ partition: Int32) -> UInt64? {
    let data = Data(decisions.buffer)
    guard let id = data.range(of: Data("\"id\":\"\(partition)-".utf8), options: .backwards) else {
      return nil
    }
    let digits = data[id.upperBound...].prefix { $0 >= UInt8(ascii: "0") && $0 <= UInt8(ascii: "9") }
    return UInt64(String(decoding: digits, as: UTF8.self))
  }
}
