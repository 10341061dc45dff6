import Contract

/// A record of the state log as docs/formats.md describes it, read without the processor's code.
struct StateHeader: Equatable {
  struct ChannelCounts: Equatable {
    var accepted: Int64 = 0
    var delivered: Int64 = 0
    var duplicate: Int64 = 0
    var optedOut: Int64 = 0
    var noAddress: Int64 = 0
    var expired: Int64 = 0
    var retracted: Int64 = 0
    var collapsed: Int64 = 0
    var open: Int64 = 0
    var muted: Int64 = 0
    var ownAction: Int64 = 0
    var unsubscribed: Int64 = 0
    var complained: Int64 = 0
    var bounced: Int64 = 0
    var seen: Int64 = 0
    var caughtUp: Int64 = 0

    var difference: Int64 {
      accepted - delivered - duplicate - optedOut - noAddress - expired - retracted - collapsed - open - muted
        - ownAction - unsubscribed - complained - bounced - seen
    }
  }

  struct Counts: Equatable {
    var factsRefused: Int64 = 0
    var consumed: Int64 = 0
    var decided: Int64 = 0
    var forwarded: Int64 = 0
    var rejected: Int64 = 0
    var tombstones: Int64 = 0
    var forwards: Int64 = 0
    var fanOuts: Int64 = 0
    var withoutFollowers: Int64 = 0
    var repeatedFanOuts: Int64 = 0
    var email = ChannelCounts()
    var inapp = ChannelCounts()

    var difference: Int64 { consumed - decided - forwarded - rejected - tombstones }

    subscript(channel: String) -> ChannelCounts {
      get { channel == "email" ? email : inapp }
      set { if channel == "email" { email = newValue } else { inapp = newValue } }
    }
  }

  var flags: UInt8
  var partition: Int
  var partitionCount: Int
  var epoch: UInt64
  var sequence: UInt64
  var decisions: UInt64
  /// Next offsets of the input topics in their order.
  var positions: [Int64]
  var inputClock: Int64
  var timerClock: Int64
  var counts: Counts
  var fanOut: (topic: UInt8, offset: Int64, next: UInt32)
  var checkpointNext: UInt32
  var logBytes: Int64
  var changes: [UInt8]
  var sliceFrom: UInt32
  var sliceTo: UInt32
  /// The bytes of the slice.
  var sliceBytes: Int
  /// The bytes of the whole record, with its checksum.
  var byteCount: Int

  var isGenesis: Bool { flags & 1 != 0 }
  var startsCheckpoint: Bool { flags & 2 != 0 }
  var endsCheckpoint: Bool { flags & 4 != 0 }

  static func == (left: StateHeader, right: StateHeader) -> Bool {
    left.epoch == right.epoch && left.hasSameContent(as: right) && left.flags == right.flags
      && left.checkpointNext == right.checkpointNext && left.logBytes == right.logBytes
  }

  /// Whether all is the same but how far a checkpoint has come, which also depends on what a restart forgot sooner.
  func hasSameContent(as other: StateHeader) -> Bool {
    partition == other.partition && sequence == other.sequence && decisions == other.decisions
      && positions == other.positions && inputClock == other.inputClock && timerClock == other.timerClock
      && counts == other.counts && fanOut == other.fanOut && changes == other.changes
  }
}

extension StateHeader {
  /// Reads the record at the front of `bytes`; nil where they are not one.
  init?(_ bytes: ByteView) {
    var reader = BytesReader(bytes)
    guard reader.number(UInt8.self) == 0x54, reader.number(UInt8.self) == 0x53,
      reader.number(UInt8.self) == 3, let flags = reader.number(UInt8.self),
      let partition = reader.number(UInt32.self), let partitionCount = reader.number(UInt32.self),
      let epoch = reader.number(UInt64.self), let sequence = reader.number(UInt64.self),
      let decisions = reader.number(UInt64.self), let topics = reader.number(UInt8.self)
    else { return nil }
    var positions: [Int64] = []
    for _ in 0..<topics {
      guard let position = reader.number(Int64.self) else { return nil }
      positions.append(position)
    }
    guard let inputClock = reader.number(Int64.self), let timerClock = reader.number(Int64.self),
      let general = reader.numbers(), general.count == 10, reader.number(UInt8.self) == 2,
      let fields = reader.number(UInt8.self), fields == ChannelCounts.fieldCount,
      let email = reader.numbers(fields), let inapp = reader.numbers(fields),
      let fanOutTopic = reader.number(UInt8.self),
      let fanOutOffset = reader.number(Int64.self), let fanOutNext = reader.number(UInt32.self),
      let checkpointNext = reader.number(UInt32.self), reader.number(Int64.self) != nil,
      let logBytes = reader.number(Int64.self), let changes = reader.bytes(),
      let sliceFrom = reader.number(UInt32.self), let sliceTo = reader.number(UInt32.self),
      let slice = reader.bytes(), reader.number(UInt64.self) != nil
    else { return nil }
    self.flags = flags
    self.partition = Int(partition)
    self.partitionCount = Int(partitionCount)
    self.epoch = epoch
    self.sequence = sequence
    self.decisions = decisions
    self.positions = positions
    self.inputClock = inputClock
    self.timerClock = timerClock
    counts = Counts(
      factsRefused: general[6], consumed: general[0], decided: general[1], forwarded: general[2],
      rejected: general[3], tombstones: general[4], forwards: general[5], fanOuts: general[7],
      withoutFollowers: general[8], repeatedFanOuts: general[9], email: ChannelCounts(email),
      inapp: ChannelCounts(inapp))
    fanOut = (fanOutTopic, fanOutOffset, fanOutNext)
    self.checkpointNext = checkpointNext
    self.logBytes = logBytes
    self.changes = Array(changes.buffer)
    self.sliceFrom = sliceFrom
    self.sliceTo = sliceTo
    sliceBytes = slice.count
    byteCount = reader.position
  }
}

extension StateHeader.ChannelCounts {
  fileprivate static let fieldCount: UInt8 = 16

  fileprivate init(_ values: [Int64]) {
    self.init(
      accepted: values[0], delivered: values[1], duplicate: values[2], optedOut: values[3],
      noAddress: values[4], expired: values[5], retracted: values[6], collapsed: values[7], open: values[8],
      muted: values[9], ownAction: values[10], unsubscribed: values[11], complained: values[12],
      bounced: values[13], seen: values[14], caughtUp: values[15])
  }
}

/// Reads little-endian numbers and counted bytes from the front.
struct BytesReader {
  private let view: ByteView
  private(set) var position = 0

  init(_ view: ByteView) { self.view = view }

  mutating func number<Number: FixedWidthInteger>(_: Number.Type) -> Number? {
    let size = MemoryLayout<Number>.size
    guard let start = view.start, view.count - position >= size else { return nil }
    defer { position += size }
    return Number(littleEndian: UnsafeRawPointer(start + position).loadUnaligned(as: Number.self))
  }

  /// As many numbers as are wanted, or as the byte before them says.
  mutating func numbers(_ count: UInt8? = nil) -> [Int64]? {
    guard let count = count ?? number(UInt8.self) else { return nil }
    var numbers: [Int64] = []
    for _ in 0..<count {
      guard let value = number(Int64.self) else { return nil }
      numbers.append(value)
    }
    return numbers
  }

  /// A LEB128 length and as many bytes.
  mutating func bytes() -> ByteView? {
    var count: UInt64 = 0
    var shift: UInt64 = 0
    while true {
      guard shift < 64, let byte = number(UInt8.self) else { return nil }
      count |= UInt64(byte & 0x7F) << shift
      if byte < 0x80 { break }
      shift += 7
    }
    guard count <= UInt64(view.count - position) else { return nil }
    defer { position += Int(count) }
    return view.slice(position..<position + Int(count))
  }
}
