import CXXHash
import Contract

/// How a snapshot file is laid out (`docs/formats.md`): magic and version, then blocks, each with its checksum.
///
/// The header block comes first, then the slices in the order of their keys, without a gap; the end block is the
/// last and of fixed size, so that it can be read before the slices. All integers are little-endian.
enum SnapshotFormat {
  static let magic = Array("TDSN".utf8)
  static let version: UInt8 = 1
  static let preludeBytes = 5

  enum BlockKind: UInt8 {
    case header = 1
    case slice = 2
    case end = 3
  }

  /// Kind, number and length before a block's payload.
  static let frontBytes = 1 + 4 + 8
  static let checksumBytes = 8
  /// Highest sequence, then the counts of ids and of windows by the top byte of their keys.
  static let endPayloadBytes = 8 + 256 * 4 * 2
  static let endBlockBytes = frontBytes + endPayloadBytes + checksumBytes
  /// More than any header has: topic names have at most 249 bytes.
  static let headerPayloadLimit = 64 << 10

  /// What stands before a payload.
  struct Front {
    var kind: BlockKind
    var number: UInt32
    var payloadBytes: Int

    init?(_ bytes: ByteView) {
      var reader = ByteReader(bytes)
      guard let raw = reader.byte(), let kind = BlockKind(rawValue: raw),
        let number = reader.integer(UInt32.self), let length = reader.integer(UInt64.self),
        let payloadBytes = Int(exactly: length)
      else { return nil }
      self.kind = kind
      self.number = number
      self.payloadBytes = payloadBytes
    }
  }

  /// Appends a block and returns its checksum.
  @discardableResult
  static func append(
    _ kind: BlockKind, number: UInt32, seed: UInt64, to buffer: inout OutputBuffer,
    _ payload: (inout OutputBuffer) -> Void
  ) -> UInt64 {
    let start = buffer.count
    buffer.append(byte: kind.rawValue)
    buffer.append(littleEndian: number)
    let lengthAt = buffer.count
    buffer.append(littleEndian: UInt64(0))
    payload(&buffer)
    let length = UInt64(buffer.count - start - frontBytes)
    buffer.overwrite(at: lengthAt, littleEndian: UInt32(truncatingIfNeeded: length))
    buffer.overwrite(at: lengthAt + 4, littleEndian: UInt32(truncatingIfNeeded: length >> 32))
    let body = buffer.view.slice(start..<buffer.count)
    let checksum = XXH3_64bits_withSeed(body.start, body.count, seed)
    buffer.append(littleEndian: checksum)
    return checksum
  }

  /// The payload of a whole block and its checksum; nil where the checksum does not hold.
  ///
  /// All blocks but the header are seeded with the header's checksum: a block of another file is no block of this.
  static func payload(
    of block: ByteView, seed: UInt64, flaws: Flaws
  ) -> (ByteView, checksum: UInt64)? {
    guard block.count >= frontBytes + checksumBytes else { return nil }
    let body = block.slice(0..<block.count - checksumBytes)
    var trailer = ByteReader(block.slice(body.count..<block.count))
    guard let checksum = trailer.integer(UInt64.self),
      checksum == XXH3_64bits_withSeed(body.start, body.count, seed)
        || flaws.contains(.snapshotChecksumsIgnored)
    else { return nil }
    return (body.slice(frontBytes..<body.count), checksum)
  }
}

/// Why a snapshot file is not used. The restore then reads the state log from its start: nothing is lost but time.
public enum SnapshotFault: Error, Equatable, CustomStringConvertible {
  /// The file does not begin as a snapshot does.
  case notASnapshot
  /// A format that this version does not know.
  case unknownVersion(UInt8)
  /// The file is cut off, or a checksum or its structure does not hold.
  case torn
  /// It is of another deployment's state topic.
  case foreignTopic(found: String, expected: String)
  /// It is of another home partition.
  case foreignPartition(found: Int32, expected: Int32)
  /// It was made with another number of home partitions.
  case partitionCountChanged(found: Int32, expected: Int32)
  /// Its position is not within the state log, which begins at `low` and ends before `high`.
  case outsideLog(offset: Int64, low: Int64, high: Int64)
  /// The state log does not go on from it.
  case doesNotFit(StateFault)
  /// The file cannot be read.
  case unreadable(String)

  /// The reason, in words.
  public var description: String {
    switch self {
    case .notASnapshot: "it is not a snapshot file"
    case .unknownVersion(let version):
      "it has snapshot format \(version), this version reads \(SnapshotFormat.version)"
    case .torn: "it is damaged: cut off, or a checksum does not hold"
    case .foreignTopic(let found, let expected): "it is of the topic \(found), not \(expected)"
    case .foreignPartition(let found, let expected): "it is of partition \(found), not \(expected)"
    case .partitionCountChanged(let found, let expected):
      "it was made with \(found) partitions, the topics have \(expected)"
    case .outsideLog(let offset, let low, let high):
      "its position, offset \(offset), is not within the state log, which holds offsets \(low)..<\(high)"
    case .doesNotFit(let fault): "the state log does not go on from it: \(fault)"
    case .unreadable(let reason): "it cannot be read: \(reason)"
    }
  }
}
