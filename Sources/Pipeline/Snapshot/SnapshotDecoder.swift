import Contract

/// Reads a snapshot file into a pipeline, piece by piece: it says which bytes it wants next, and whoever has the
/// file hands them in. A piece is at most one block, so that a worker can do other things in between.
///
/// A pipeline that a fault left half filled has to begin again with `beginRestore`.
public struct SnapshotDecoder: Sendable {
  private enum Stage {
    case opening
    case header(bytes: Int)
    case end
    case sliceFront
    case slice(bytes: Int)
    case whole
  }

  private let topic: String
  private let size: Int64
  private var stage = Stage.opening
  private var position: Int64 = 0
  private var number: UInt32 = 0
  private var seed: UInt64 = 0
  /// What the file says of itself, once that was read.
  public private(set) var header: SnapshotHeader?

  /// A decoder for a file of `size` bytes.
  ///
  /// - Parameter topic: the full name of the state topic that the snapshot must be of.
  public init(size: Int64, topic: String) {
    self.size = size
    self.topic = topic
  }

  /// The bytes to hand in next; nil when the snapshot is whole in the pipeline.
  public var wanted: (offset: Int64, count: Int)? {
    switch stage {
    case .opening: (0, SnapshotFormat.preludeBytes + SnapshotFormat.frontBytes)
    case .header(let bytes): (Int64(SnapshotFormat.preludeBytes), bytes)
    case .end: (endPosition, SnapshotFormat.endBlockBytes)
    case .sliceFront: (position, SnapshotFormat.frontBytes)
    case .slice(let bytes): (position, bytes)
    case .whole: nil
    }
  }

  /// The share of the file that was read, 0…1.
  public var progress: Double { size > 0 ? Double(position) / Double(size) : 1 }

  private var endPosition: Int64 { size - Int64(SnapshotFormat.endBlockBytes) }

  /// Takes the bytes that `wanted` named; fewer of them mean that the file ends too early.
  ///
  /// - Throws: `SnapshotFault` where the file cannot be used.
  public mutating func read(_ bytes: ByteView, into pipeline: inout Pipeline) throws(SnapshotFault) {
    guard let wanted else { return }
    switch stage {
    case .opening:
      try readOpening(bytes)
      guard bytes.count == wanted.count else { throw .torn }
    case .header:
      guard bytes.count == wanted.count else { throw .torn }
      try readHeader(bytes, pipeline.configuration)
    case .end:
      guard bytes.count == wanted.count else { throw .torn }
      try readEnd(bytes, into: &pipeline)
    case .sliceFront:
      guard bytes.count == wanted.count else { throw .torn }
      try readSliceFront(bytes)
    case .slice:
      guard bytes.count == wanted.count else { throw .torn }
      try readSlice(bytes, into: &pipeline)
    case .whole:
      return
    }
  }

  private mutating func readOpening(_ bytes: ByteView) throws(SnapshotFault) {
    let prelude = bytes.slice(0..<SnapshotFormat.preludeBytes)
    guard prelude.count == SnapshotFormat.preludeBytes,
      Array(prelude.slice(0..<SnapshotFormat.magic.count).buffer) == SnapshotFormat.magic
    else { throw .notASnapshot }
    guard prelude[4] == SnapshotFormat.version else { throw .unknownVersion(prelude[4]) }
    guard let front = SnapshotFormat.Front(bytes.slice(SnapshotFormat.preludeBytes..<bytes.count)),
      front.kind == .header, front.number == 0, front.payloadBytes <= SnapshotFormat.headerPayloadLimit
    else { throw .torn }
    stage = .header(bytes: SnapshotFormat.frontBytes + front.payloadBytes + SnapshotFormat.checksumBytes)
  }

  private mutating func readHeader(
    _ bytes: ByteView, _ configuration: Pipeline.Configuration
  ) throws(SnapshotFault) {
    let flaws = configuration.flaws
    guard let (payload, checksum) = SnapshotFormat.payload(of: bytes, seed: 0, flaws: flaws) else {
      throw .torn
    }
    let header = try SnapshotHeader.decode(payload)
    guard header.topic == topic else { throw .foreignTopic(found: header.topic, expected: topic) }
    guard header.partition == configuration.partition else {
      throw .foreignPartition(found: header.partition, expected: configuration.partition)
    }
    guard header.partitionCount == configuration.partitionCount else {
      throw .partitionCountChanged(found: header.partitionCount, expected: configuration.partitionCount)
    }
    self.header = header
    seed = checksum
    position = Int64(SnapshotFormat.preludeBytes + bytes.count)
    guard endPosition >= position else { throw .torn }
    stage = .end
  }

  private mutating func readEnd(_ bytes: ByteView, into pipeline: inout Pipeline) throws(SnapshotFault) {
    guard let front = SnapshotFormat.Front(bytes), front.kind == .end,
      let (payload, _) = SnapshotFormat.payload(of: bytes, seed: seed, flaws: pipeline.configuration.flaws),
      let summary = SnapshotSummary(payload, size: size), let header, summary.lastSequence >= header.sequence
    else { throw .torn }
    pipeline.beginSnapshot(header, summary)
    stage = .sliceFront
  }

  private mutating func readSliceFront(_ bytes: ByteView) throws(SnapshotFault) {
    guard let front = SnapshotFormat.Front(bytes), front.kind == .slice, front.number == number + 1 else {
      throw .torn
    }
    let around = SnapshotFormat.frontBytes + SnapshotFormat.checksumBytes
    guard Int64(front.payloadBytes) <= endPosition - position - Int64(around) else { throw .torn }
    number = front.number
    stage = .slice(bytes: front.payloadBytes + around)
  }

  private mutating func readSlice(_ bytes: ByteView, into pipeline: inout Pipeline) throws(SnapshotFault) {
    let flaws = pipeline.configuration.flaws
    guard let (payload, _) = SnapshotFormat.payload(of: bytes, seed: seed, flaws: flaws) else { throw .torn }
    var reader = ByteReader(payload)
    guard let sequence = reader.integer(UInt64.self), let from = reader.integer(UInt32.self),
      let to = reader.integer(UInt32.self), from < to, let header, sequence >= header.sequence,
      pipeline.load(
        payload.slice(reader.position..<payload.count), prefixes: from..<to, sequence: sequence,
        version: header.stateVersion)
    else { throw .torn }
    position += Int64(bytes.count)
    guard position == endPosition else { return stage = .sliceFront }
    guard to == 65_536 else { throw .torn }
    stage = .whole
  }
}
