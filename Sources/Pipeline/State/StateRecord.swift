import CXXHash
import Contract

/// The value of one record of the state topic: header, changes, and possibly a slice of a checkpoint.
///
/// All integers are little-endian. `docs/formats.md` describes the layout; its version is the third byte.
enum StateRecord {
  static let magic: [UInt8] = [0x54, 0x53]
  /// The version that is written.
  static let version: UInt8 = 3
  /// The versions that are read. The first one names no epoch: it counts as 0. Both earlier ones hold no facts.
  static let readableVersions: ClosedRange<UInt8> = 1...3
  /// What a record takes in the log besides its changes, about: the header with its counters, and Kafka's batch and
  /// transaction marker.
  static let fixedBytes = 512

  /// What a record is besides its changes.
  struct Flags: OptionSet {
    let rawValue: UInt8
    /// The first record of a state that began empty: nothing before it matters.
    static let genesis = Flags(rawValue: 1)
    /// Holds the first slice of a checkpoint.
    static let checkpointStart = Flags(rawValue: 2)
    /// Holds the last slice of a checkpoint.
    static let checkpointEnd = Flags(rawValue: 4)
  }

  /// A decoded record. The views are valid as long as the bytes it was read from.
  struct Contents {
    /// The version of the format that its changes and its slice are in.
    var version = StateRecord.version
    var flags: Flags
    var partition: UInt32
    var partitionCount: UInt32
    var ledger: Ledger
    var changes: ByteView
    var slicePrefixes: Range<UInt32>
    var slice: ByteView
  }

  /// More than what stands in front of the changes takes.
  static let frontRoom = 1024

  static func append(_ contents: Contents, to buffer: inout OutputBuffer) {
    let start = buffer.count
    appendFront(contents, changeBytes: contents.changes.count, to: &buffer)
    buffer.append(contents.changes)
    appendBack(contents, recordStart: start, to: &buffer)
  }

  /// Makes a buffer that has the changes, and nothing else, the record of them; those of `contents` do not count.
  ///
  /// - Parameter front: a buffer for what stands in front of them.
  static func complete(_ contents: Contents, around changes: inout OutputBuffer, front: inout OutputBuffer) {
    front.removeAll()
    appendFront(contents, changeBytes: changes.count, to: &front)
    changes.prepend(front.view)
    appendBack(contents, recordStart: 0, to: &changes)
  }

  private static func appendFront(_ contents: Contents, changeBytes: Int, to buffer: inout OutputBuffer) {
    for byte in magic { buffer.append(byte: byte) }
    buffer.append(byte: version)
    buffer.append(byte: contents.flags.rawValue)
    buffer.append(littleEndian: contents.partition)
    buffer.append(littleEndian: contents.partitionCount)
    let ledger = contents.ledger
    buffer.append(littleEndian: ledger.epoch)
    buffer.append(littleEndian: ledger.sequence)
    buffer.append(littleEndian: ledger.decisions)
    buffer.append(byte: UInt8(InputTopic.allCases.count))
    for topic in InputTopic.allCases { buffer.append(littleEndian: ledger.positions[topic]) }
    buffer.append(littleEndian: ledger.inputClock)
    buffer.append(littleEndian: ledger.timerClock)
    append(ledger.counters, to: &buffer)
    buffer.append(byte: ledger.fanOut?.topic.rawValue ?? UInt8.max)
    buffer.append(littleEndian: ledger.fanOut?.offset ?? 0)
    buffer.append(littleEndian: UInt32(ledger.fanOut?.next ?? 0))
    buffer.append(littleEndian: ledger.checkpoint?.next ?? UInt32.max)
    buffer.append(littleEndian: ledger.checkpoint?.bytes ?? 0)
    buffer.append(littleEndian: ledger.logBytes)
    buffer.append(varint: UInt64(changeBytes))
  }

  private static func appendBack(_ contents: Contents, recordStart start: Int, to buffer: inout OutputBuffer)
  {
    buffer.append(littleEndian: contents.slicePrefixes.lowerBound)
    buffer.append(littleEndian: contents.slicePrefixes.upperBound)
    buffer.append(lengthPrefixed: contents.slice)
    let body = buffer.view.slice(start..<buffer.count)
    buffer.append(littleEndian: hash_64bits(body.start, body.count))
  }

  private static func append(_ counters: Counters, to buffer: inout OutputBuffer) {
    var counters = counters
    buffer.append(byte: UInt8(Counters.codedFieldCount))
    counters.forEachCodedField { buffer.append(littleEndian: $0) }
    buffer.append(byte: UInt8(Channel.allCases.count))
    buffer.append(byte: UInt8(ChannelCounters.codedFieldCount))
    for channel in Channel.allCases {
      counters[channel].forEachCodedField { buffer.append(littleEndian: $0) }
    }
  }

  /// Reads a record.
  ///
  /// - Throws: `StateFault` where the bytes are of another version, torn or not a state record at all.
  static func decode(_ bytes: ByteView) throws(StateFault) -> Contents {
    guard bytes.count >= 3, bytes[0] == magic[0], bytes[1] == magic[1] else { throw .notAStateRecord }
    guard readableVersions.contains(bytes[2]) else { throw .unknownVersion(bytes[2]) }
    guard bytes.count > 12 else { throw .torn }
    let body = bytes.slice(0..<bytes.count - 8)
    var trailer = ByteReader(bytes.slice(bytes.count - 8..<bytes.count))
    guard trailer.integer(UInt64.self) == hash_64bits(body.start, body.count) else { throw .torn }
    var reader = ByteReader(body)
    guard let contents = contents(&reader) else { throw .torn }
    return contents
  }

  private static func contents(_ reader: inout ByteReader) -> Contents? {
    guard reader.take(2) != nil, let version = reader.byte(), let flags = reader.byte(),
      let partition = reader.integer(UInt32.self),
      let partitionCount = reader.integer(UInt32.self),
      let ledger = ledger(&reader, version: version),
      let changes = reader.lengthPrefixed(), let from = reader.integer(UInt32.self),
      let to = reader.integer(UInt32.self), from <= to, to <= 65_536, let slice = reader.lengthPrefixed()
    else { return nil }
    return Contents(
      version: version, flags: Flags(rawValue: flags), partition: partition, partitionCount: partitionCount,
      ledger: ledger,
      changes: changes, slicePrefixes: from..<to, slice: slice)
  }

  private static func ledger(_ reader: inout ByteReader, version: UInt8) -> Ledger? {
    var ledger = Ledger()
    if version >= 2 {
      guard let epoch = reader.integer(UInt64.self) else { return nil }
      ledger.epoch = epoch
    }
    guard let sequence = reader.integer(UInt64.self), let decisions = reader.integer(UInt64.self),
      let topicCount = reader.byte(), Int(topicCount) <= InputTopic.allCases.count
    else { return nil }
    ledger.sequence = sequence
    ledger.decisions = decisions
    for topic in InputTopic.allCases.prefix(Int(topicCount)) {
      guard let position = reader.integer(Int64.self) else { return nil }
      ledger.positions[topic] = position
    }
    guard let inputClock = reader.integer(Int64.self), let timerClock = reader.integer(Int64.self),
      let counters = version < 3 ? earlierCounters(&reader) : counters(&reader)
    else { return nil }
    ledger.inputClock = inputClock
    ledger.timerClock = timerClock
    ledger.counters = counters
    guard let fanOutTopic = reader.byte(), let fanOutOffset = reader.integer(Int64.self),
      let fanOutNext = reader.integer(UInt32.self), let checkpointNext = reader.integer(UInt32.self),
      let checkpointBytes = reader.integer(Int64.self), let logBytes = reader.integer(Int64.self)
    else { return nil }
    if let topic = InputTopic(rawValue: fanOutTopic) {
      ledger.fanOut = FanOutProgress(topic: topic, offset: fanOutOffset, next: Int(fanOutNext))
    }
    if checkpointNext != UInt32.max {
      ledger.checkpoint = CheckpointProgress(next: checkpointNext, bytes: checkpointBytes)
    }
    ledger.logBytes = logBytes
    return ledger
  }
}

// MARK: - Counters

extension StateRecord {
  private static func counters(_ reader: inout ByteReader) -> Counters? {
    var counters = Counters()
    guard let count = reader.byte(), Int(count) <= Counters.codedFieldCount,
      var fields = reader.take(Int(count) * 8).map({ ByteReader($0) }),
      let channelCount = reader.byte(), Int(channelCount) <= Channel.allCases.count,
      let fieldCount = reader.byte(), Int(fieldCount) <= ChannelCounters.codedFieldCount
    else { return nil }
    counters.forEachCodedField { $0 = fields.integer(Int64.self) ?? 0 }
    for channel in Channel.allCases.prefix(Int(channelCount)) {
      guard var fields = reader.take(Int(fieldCount) * 8).map({ ByteReader($0) }) else { return nil }
      counters[channel].forEachCodedField { $0 = fields.integer(Int64.self) ?? 0 }
    }
    return counters
  }

  /// Versions 1 and 2: one count, then six fields and nine of each channel.
  private static func earlierCounters(_ reader: inout ByteReader) -> Counters? {
    guard reader.byte() == 24, var general = reader.take(6 * 8).map({ ByteReader($0) }),
      var email = reader.take(9 * 8).map({ ByteReader($0) }),
      var inapp = reader.take(9 * 8).map({ ByteReader($0) })
    else { return nil }
    var counters = Counters()
    counters.forEachCodedField { $0 = general.integer(Int64.self) ?? 0 }
    counters.email.forEachCodedField { $0 = email.integer(Int64.self) ?? 0 }
    counters.inapp.forEachCodedField { $0 = inapp.integer(Int64.self) ?? 0 }
    return counters
  }
}

/// Why a record of the state topic cannot be used. Nothing is ever started afresh because of one.
public enum StateFault: Error, Equatable, CustomStringConvertible {
  /// The bytes do not begin as a state record does.
  case notAStateRecord
  /// A format that this version does not know.
  case unknownVersion(UInt8)
  /// The checksum or the structure does not hold.
  case torn
  /// The record is of another home partition.
  case foreignPartition(found: Int32, expected: Int32)
  /// The state was written with another number of partitions.
  case partitionCountChanged(found: Int32, expected: Int32)
  /// The record belongs to another history of the partition's state than those before it.
  case foreignEpoch(found: UInt64, expected: UInt64)
  /// Records are missing between two that were read.
  case hole(after: UInt64, found: UInt64)
  /// The log begins after a record that is needed: neither a first record nor a whole checkpoint was read.
  case noBeginning
  /// The record that a snapshot goes on from is another one in the log.
  case otherRecord(sequence: UInt64)
  /// The log ends before the newest slice of a snapshot: at record `end`, or before any that the snapshot knows.
  case snapshotAhead(sequence: UInt64, end: UInt64?)

  /// What is wrong, in words.
  public var description: String {
    switch self {
    case .notAStateRecord: "the record is not a state record"
    case .unknownVersion(let version):
      "the record has state format \(version), this version reads up to \(StateRecord.version): "
        + "run the version that wrote it, or a newer one"
    case .torn: "the record is damaged: its checksum or structure does not hold"
    case .foreignPartition(let found, let expected):
      "the record belongs to partition \(found), not \(expected)"
    case .partitionCountChanged(let found, let expected):
      "the state was written with \(found) partitions, the topics have \(expected): "
        + "the number of partitions cannot be changed under a state"
    case .foreignEpoch(let found, let expected):
      "the record belongs to another history of this partition's state (epoch \(Self.hex(found))) than the "
        + "records before it (epoch \(Self.hex(expected))): somebody else began the state anew in the same topic. "
        + "Find out which history is right before this partition is started again"
    case .hole(let after, let found):
      "records are missing: number \(found) follows number \(after)"
    case .noBeginning:
      "the log has lost its beginning: it holds neither its first record nor a whole checkpoint"
    case .otherRecord(let sequence):
      "record number \(sequence) in the log is not the one that the snapshot was made after"
    case .snapshotAhead(let sequence, let end):
      "the snapshot holds the state of record number \(sequence), the log ends "
        + (end.map { "with number \($0)" } ?? "before any record of the snapshot")
    }
  }

  /// An epoch as it is shown to people: 16 hexadecimal digits.
  static func hex(_ epoch: UInt64) -> String {
    var buffer = OutputBuffer()
    buffer.append(hex: epoch)
    return buffer.view.string
  }
}
