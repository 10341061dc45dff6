import Contract

/// What a snapshot says of itself before its slices.
///
/// Its position is that of a record in the state log: the one whose commit the oldest slice belongs to. A restore
/// reads this record again and compares it with the header before it believes the snapshot.
public struct SnapshotHeader: Equatable, Sendable {
  /// The full name of the state topic.
  public var topic: String
  /// The offset of the state record that the snapshot goes on from.
  public var offset: Int64
  /// The offset of the record that holds the first slice of the checkpoint being written then, or written last; nil
  /// where there was none. The end of that checkpoint truncates the log up to it.
  public var checkpointStart: Int64?
  /// The home partition.
  public var partition: Int32
  /// The number of home partitions.
  public var partitionCount: Int32
  var ledger: Ledger
  /// The version of the state's format that its slices are in: that of the state record in the header.
  var stateVersion = StateRecord.version

  /// The identity of the state's history.
  public var epoch: UInt64 { ledger.epoch }
  /// The number of the state record that the snapshot goes on from.
  public var sequence: UInt64 { ledger.sequence }

  func append(to buffer: inout OutputBuffer) {
    topic.withByteView { buffer.append(lengthPrefixed: $0) }
    buffer.append(littleEndian: offset)
    buffer.append(littleEndian: checkpointStart ?? -1)
    // The state record's own format, without changes: it has a version, and is read as those of the log are.
    var record = OutputBuffer()
    StateRecord.append(
      StateRecord.Contents(
        flags: [], partition: UInt32(bitPattern: partition),
        partitionCount: UInt32(bitPattern: partitionCount),
        ledger: ledger, changes: .empty, slicePrefixes: 0..<0, slice: .empty), to: &record)
    buffer.append(lengthPrefixed: record.view)
  }

  /// Reads the payload of a header block.
  static func decode(_ payload: ByteView) throws(SnapshotFault) -> SnapshotHeader {
    var reader = ByteReader(payload)
    guard let topic = reader.lengthPrefixed(), let offset = reader.integer(Int64.self), offset >= 0,
      let checkpointStart = reader.integer(Int64.self), let record = reader.lengthPrefixed(), reader.isAtEnd
    else { throw .torn }
    do throws(StateFault) {
      let contents = try StateRecord.decode(record)
      guard contents.ledger.sequence > 0 else { throw StateFault.torn }
      return SnapshotHeader(
        topic: topic.string, offset: offset, checkpointStart: checkpointStart < 0 ? nil : checkpointStart,
        partition: Int32(bitPattern: contents.partition),
        partitionCount: Int32(bitPattern: contents.partitionCount), ledger: contents.ledger,
        stateVersion: contents.version)
    } catch {
      throw .doesNotFit(error)
    }
  }
}

/// What the end block says of all slices: how much room to make before they are read.
struct SnapshotSummary: Equatable {
  /// The highest sequence of a slice: the log has to hold that record.
  var lastSequence: UInt64 = 0
  /// Ids by the top byte of their keys.
  var idCounts = [UInt32](repeating: 0, count: TopByte.count)
  /// Windows by the top byte of their keys.
  var windowCounts = [UInt32](repeating: 0, count: TopByte.count)

  func append(to buffer: inout OutputBuffer) {
    buffer.append(littleEndian: lastSequence)
    for count in idCounts { buffer.append(littleEndian: count) }
    for count in windowCounts { buffer.append(littleEndian: count) }
  }

  /// Reads the payload of an end block of a file of `size` bytes; nil where it cannot be true.
  init?(_ payload: ByteView, size: Int64) {
    var reader = ByteReader(payload)
    guard let sequence = reader.integer(UInt64.self) else { return nil }
    lastSequence = sequence
    for index in 0..<TopByte.count {
      guard let count = reader.integer(UInt32.self) else { return nil }
      idCounts[index] = count
    }
    for index in 0..<TopByte.count {
      guard let count = reader.integer(UInt32.self) else { return nil }
      windowCounts[index] = count
    }
    // Room is made by these counts: no more than the file can fill.
    let ids = idCounts.reduce(Int64(0)) { $0 + Int64($1) }
    let windows = windowCounts.reduce(Int64(0)) { $0 + Int64($1) }
    guard reader.isAtEnd, ids * 16 + windows * Self.smallestWindow <= size else { return nil }
  }

  init() {}

  /// Key, id, two instants, two lengths.
  static let smallestWindow: Int64 = 16 + 16 + 8 + 8 + 4 + 1
}
