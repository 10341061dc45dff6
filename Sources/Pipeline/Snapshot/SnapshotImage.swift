import Contract

/// A reader of the image of a slice: ids, then windows, then facts, then fan-outs (`Pipeline.appendImage`), each to
/// its end before the next.
struct SnapshotImage {
  /// The bytes of the ids.
  let ids: PackedIDs
  private var reader: ByteReader
  private var windowsLeft: UInt32 = 0
  /// How many facts are still to be read; nil until their number was.
  private var factsLeft: UInt32?
  /// How many fan-outs are still to be read; nil until their number was.
  private var fanOutsLeft: UInt32?
  /// The version of the state's format that the image is in.
  let version: UInt8
  /// Whether what was read so far is whole.
  private(set) var isSound: Bool

  /// One window of an image.
  struct WindowImage {
    var key: Hash128
    var id: Hash128
    var opened: Int64
    var due: Int64
    var headLength: UInt32
    /// The head, then all members.
    var block: ByteView
  }

  /// - Parameter version: of the state's format; the first two hold no facts.
  init(_ bytes: ByteView, version: UInt8 = StateRecord.version) {
    self.version = version
    if version < 3 { factsLeft = 0 }
    var reader = ByteReader(bytes)
    if let idCount = reader.integer(UInt32.self), let idBytes = reader.take(Int(idCount) * PackedIDs.stride),
      let windowCount = reader.integer(UInt32.self)
    {
      ids = PackedIDs(bytes: idBytes)
      windowsLeft = windowCount
      isSound = true
    } else {
      ids = PackedIDs(bytes: .empty)
      isSound = false
    }
    self.reader = reader
  }

  /// Whether all was read, and nothing is left over.
  var isWhole: Bool {
    isSound && windowsLeft == 0 && factsLeft == 0 && (fanOutsLeft ?? 0) == 0 && reader.isAtEnd
  }

  mutating func nextWindow() -> WindowImage? {
    guard windowsLeft > 0 else { return nil }
    guard let key = reader.hash(), let id = reader.hash(), let opened = reader.integer(Int64.self),
      let due = reader.integer(Int64.self), let headLength = reader.integer(UInt32.self),
      let block = reader.lengthPrefixed(), Int(headLength) <= block.count
    else {
      isSound = false
      windowsLeft = 0
      return nil
    }
    windowsLeft -= 1
    return WindowImage(key: key, id: id, opened: opened, due: due, headLength: headLength, block: block)
  }

  /// The next fact; nil at the end, and where the windows are not all read.
  mutating func nextFact() -> Fact? {
    guard isSound, windowsLeft == 0 else { return nil }
    let left = factsLeft ?? reader.integer(UInt32.self)
    factsLeft = left
    guard let left, left > 0 else {
      if left == nil { isSound = false }
      return nil
    }
    guard let key = reader.hash(), let fact = Fact(key: key, &reader) else {
      isSound = false
      return nil
    }
    factsLeft = left - 1
    return fact
  }

  /// The next fan-out; nil at the end, and where the facts are not all read. A slice without any has no number.
  mutating func nextFanOut() -> FanOut? {
    guard isSound, factsLeft == 0, !reader.isAtEnd else { return nil }
    guard let left = fanOutsLeft ?? reader.integer(UInt32.self), left > 0, let key = reader.hash(),
      let fanOut = FanOut(key: key, &reader)
    else {
      isSound = false
      return nil
    }
    fanOutsLeft = left - 1
    return fanOut
  }
}

/// Ids as an image holds them: 16 bytes each.
struct PackedIDs {
  static let stride = 16
  let bytes: ByteView

  var count: Int { bytes.count / Self.stride }

  @inline(__always)
  func forEachEntry(_ body: (DedupTable.Entry) -> Void) {
    guard let start = bytes.start else { return }
    let raw = UnsafeRawPointer(start)
    for index in 0..<count {
      let high = raw.loadUnaligned(fromByteOffset: index * Self.stride, as: UInt64.self)
      let low = raw.loadUnaligned(fromByteOffset: index * Self.stride + 8, as: UInt64.self)
      body(DedupTable.Entry(high: UInt64(littleEndian: high), low: UInt64(littleEndian: low)))
    }
  }
}
