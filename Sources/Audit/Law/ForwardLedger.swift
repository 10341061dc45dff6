import Contract
import Kafka
import Pipeline

/// The records of `routed` by what they were forwarded from and for whom. 80 to 120 bytes for each.
struct ForwardLedger {
  private struct Entry {
    var offset: Int64
    var originOffset: Int64
    var partition: Int32
    var origin: Int32
    var count: UInt8
    var isMatched: Bool
  }

  /// The forwards of one fan-out to an audience.
  private struct FanOut {
    var origin: RecipientAccount.Place
    /// The first of them.
    var first: RecipientAccount.Place
    var count: Int64 = 0
    var isMatched = false
  }

  private let topics: AuditTopics
  private var entries: [Hash128: Entry] = [:]
  private var fanOuts: [Hash128: FanOut] = [:]
  private var scratch = OutputScratch()
  private var keptSince: [Int32: Int64] = [:]
  private let cutPartitions: Set<Int32>

  /// - Parameter cutPartitions: those whose beginning retention has deleted.
  init(_ topics: AuditTopics, cutPartitions: Set<Int32>) {
    self.topics = topics
    self.cutPartitions = cutPartitions
  }

  /// When the first kept record of a partition was appended, in milliseconds since the epoch; nil where all are there.
  func cutSince(_ partition: Int32) -> Int64? {
    cutPartitions.contains(partition) ? keptSince[partition] ?? .max : nil
  }

  /// Takes a record of `routed`.
  ///
  /// - Parameter isWithin: whether its origin is a record of the cut, and it may be an outcome of that within the cut.
  mutating func take(
    _ record: ConsumedRecord, isWithin: (InputTopic, Int32, Int64) -> Bool, into findings: inout Findings
  ) {
    if keptSince[record.partition] == nil { keptSince[record.partition] = record.timestampMilliseconds }
    guard let origin = record.origin, let key = record.key else {
      return findings.add(
        .unreadable, topics.name(of: .routed), record.partition, record.offset,
        "the record has no key or does not say where it was read first: the processor did not write it")
    }
    let topic = origin.topic.withByteView { topics.input(named: $0) } ?? .events
    guard isWithin(topic, origin.partition, origin.offset) else { return }
    let hash = scratch.hash(topic, origin.partition, origin.offset, key)
    var entry =
      entries[hash]
      ?? Entry(
        offset: record.offset, originOffset: origin.offset, partition: record.partition,
        origin: origin.partition, count: 0, isMatched: false)
    entry.count = entry.count == 255 ? 255 : entry.count + 1
    if entry.count > 1 {
      findings.add(
        .doubledForward, topics.name(of: .routed), record.partition, record.offset, id: "key \(key.string)",
        "forwarded again from \(origin.topic) [\(origin.partition)] offset \(origin.offset), first at "
          + "[\(entry.partition)] offset \(entry.offset)")
    }
    if record.headerText("tidings-audience") != nil {
      // Whom the audience had then, nobody can tell now: they are counted.
      entry.isMatched = true
      let fanOut = scratch.hash(topic, origin.partition, origin.offset, .empty)
      let place = RecipientAccount.Place(
        topic: topics.name(of: .routed), partition: record.partition, offset: record.offset)
      fanOuts[
        fanOut,
        default: FanOut(
          origin: RecipientAccount.Place(
            topic: origin.topic, partition: origin.partition, offset: origin.offset), first: place)
      ].count += 1
    }
    entries[hash] = entry
  }

  /// How many followers of an audience an event was forwarded to.
  mutating func matchFanOut(_ topic: InputTopic, partition: Int32, offset: Int64) -> Int64 {
    let hash = scratch.hash(topic, partition, offset, .empty)
    fanOuts[hash]?.isMatched = true
    return fanOuts[hash]?.count ?? 0
  }

  /// Up to when records that were forwarded to any partition may be gone: nobody knows where the followers of an
  /// audience are at home. `.max` where a partition holds none any more; nil where all are there.
  var newestCut: Int64? { cutPartitions.map { keptSince[$0] ?? .max }.max() }

  /// Whether a record was forwarded to a recipient.
  mutating func match(partition: Int32, offset: Int64, key: ByteView) -> Bool {
    let hash = scratch.hash(.events, partition, offset, key)
    guard entries[hash] != nil else { return false }
    entries[hash]?.isMatched = true
    return true
  }

  /// What was forwarded without a record that asks for it.
  func check(into findings: inout Findings) {
    let strays = fanOuts.values.filter { !$0.isMatched }
    for fanOut in strays.sorted(by: {
      ($0.first.partition, $0.first.offset) < ($1.first.partition, $1.first.offset)
    }) {
      findings.add(
        .foreignForward, fanOut.first.topic, fanOut.first.partition, fanOut.first.offset,
        "it and \(fanOut.count - 1) others name \(fanOut.origin), which is no event for an audience, or is not there"
      )
    }
    let foreign = entries.values.filter { !$0.isMatched }
    for entry in foreign.sorted(by: { ($0.partition, $0.offset) < ($1.partition, $1.offset) }) {
      findings.add(
        .foreignForward, topics.name(of: .routed), entry.partition, entry.offset,
        "it names \(topics.name(of: .events)) [\(entry.origin)] offset \(entry.originOffset), which holds no such "
          + "recipient, or is not there")
    }
  }
}

/// Hashes a place with a key.
private final class OutputScratch {
  private var buffer = OutputBuffer(capacity: 256)

  func hash(_ topic: InputTopic, _ partition: Int32, _ offset: Int64, _ key: ByteView) -> Hash128 {
    buffer.removeAll()
    buffer.append(byte: topic.rawValue)
    buffer.append(littleEndian: partition)
    buffer.append(littleEndian: offset)
    buffer.append(key)
    return Hash128(of: buffer.view)
  }
}

extension ConsumedRecord {
  /// Where a forwarded record was read first, by its headers.
  var origin: (topic: String, partition: Int32, offset: Int64)? {
    place(
      topic: "tidings-origin-topic", partition: "tidings-origin-partition", offset: "tidings-origin-offset")
  }

  /// Where a rejected or dead record was read, by its headers. Those that were added last count: the record may have
  /// had such headers itself.
  var source: (topic: String, partition: Int32, offset: Int64)? {
    place(topic: "tidings-topic", partition: "tidings-partition", offset: "tidings-offset")
  }

  /// The text of the last header of that name.
  func headerText(_ name: StaticString) -> String? {
    for header in headers.reversed() where header.name.equals(name) { return header.value?.string }
    return nil
  }

  private func place(
    topic: StaticString, partition: StaticString, offset: StaticString
  ) -> (topic: String, partition: Int32, offset: Int64)? {
    guard let topic = headerText(topic), let partition = headerText(partition).flatMap({ Int32($0) }),
      let offset = headerText(offset).flatMap({ Int64($0) })
    else { return nil }
    return (topic, partition, offset)
  }
}
