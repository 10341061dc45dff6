import Contract

/// The image of the keys of one slice, at the instant at which memory was the state of one commit.
public struct SnapshotSlice: Sendable {
  /// The number of that commit's state record.
  public let sequence: UInt64
  /// The slice holds all keys whose top 16 bits are within.
  public let prefixes: Range<UInt32>
  let image: [UInt8]

  /// Bytes of the image.
  public var byteCount: Int { image.count }
  /// Whether it holds the last keys.
  public var isLast: Bool { prefixes.upperBound == 65_536 }
}

/// Makes the bytes of a snapshot file, in order: `begin`, `slice` for each, `end`.
public struct SnapshotEncoder {
  private let header: SnapshotHeader
  private var seed: UInt64 = 0
  private var number: UInt32 = 0
  private var summary = SnapshotSummary()

  init(_ header: SnapshotHeader) { self.header = header }

  /// The number of the state record that the snapshot goes on from.
  public var sequence: UInt64 { header.sequence }
  /// The offset of that record.
  public var offset: Int64 { header.offset }
  /// The number of the state record that the newest slice belongs to.
  public var lastSequence: UInt64 { summary.lastSequence }

  /// The first bytes of the file.
  public mutating func begin() -> [UInt8] {
    var buffer = OutputBuffer()
    for byte in SnapshotFormat.magic { buffer.append(byte: byte) }
    buffer.append(byte: SnapshotFormat.version)
    seed = SnapshotFormat.append(.header, number: 0, seed: 0, to: &buffer) { header.append(to: &$0) }
    return Array(buffer.view.buffer)
  }

  /// The block of the next slice; the slices come in the order of their keys.
  public mutating func block(of slice: SnapshotSlice) -> [UInt8] {
    count(slice)
    number += 1
    var buffer = OutputBuffer(capacity: slice.image.count + 64)
    SnapshotFormat.append(.slice, number: number, seed: seed, to: &buffer) { buffer in
      buffer.append(littleEndian: slice.sequence)
      buffer.append(littleEndian: slice.prefixes.lowerBound)
      buffer.append(littleEndian: slice.prefixes.upperBound)
      slice.image.withUnsafeBytes { buffer.append(ByteView($0)) }
    }
    return Array(buffer.view.buffer)
  }

  /// The last bytes of the file.
  public mutating func end() -> [UInt8] {
    number += 1
    var buffer = OutputBuffer(capacity: SnapshotFormat.endBlockBytes)
    SnapshotFormat.append(.end, number: number, seed: seed, to: &buffer) { summary.append(to: &$0) }
    return Array(buffer.view.buffer)
  }

  private mutating func count(_ slice: SnapshotSlice) {
    summary.lastSequence = max(summary.lastSequence, slice.sequence)
    slice.image.withUnsafeBytes { bytes in
      var image = SnapshotImage(ByteView(bytes))
      image.ids.forEachEntry { summary.idCounts[TopByte.of($0.high)] += 1 }
      while let window = image.nextWindow() { summary.windowCounts[TopByte.of(window.key.high)] += 1 }
    }
  }
}
