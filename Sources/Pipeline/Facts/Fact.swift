import Contract

/// What a fact is about, and by which clock it holds.
///
/// Kinds from 128 on hold by the input clock, as ids do: a record that waits out an outage in its topic still meets
/// them. All others hold by the timer clock.
enum FactKind: UInt8, CaseIterable {
  /// How many notifications of a category were delivered at once in a period.
  case throttle = 1
  /// How many notifications were delivered at once on a channel in a period.
  case budget = 2
  /// The recipient has unsubscribed from a category on a channel.
  case unsubscribed = 3
  /// The recipient has called what came by a channel unwanted.
  case complained = 4
  /// An address of the recipient takes nothing.
  case bounced = 5
  /// A notification was taken back by its sender, whether it came already or not.
  case retraction = 128
  /// The recipient saw a notification.
  case seen = 129
  /// The recipient has taken an unsubscription back in a record that was published away from home.
  case resubscribed = 130

  /// The name in exports of a state.
  var name: String {
    switch self {
    case .throttle: "throttle"
    case .budget: "budget"
    case .unsubscribed: "unsubscribed"
    case .complained: "complained"
    case .bounced: "bounced"
    case .retraction: "retraction"
    case .seen: "seen"
    case .resubscribed: "resubscribed"
    }
  }
}

/// Something small that a partition remembers about a recipient until an instant.
struct Fact: Equatable {
  /// A hash of the kind and of what the fact is about; its top bits place it in a slice of a checkpoint.
  var key: Hash128
  /// It holds before this instant, in milliseconds of the clock of its kind; `Int64.max` for good.
  var until: Int64
  /// What it says, besides that it is so.
  var value: FactValue
  /// The number of its kind. One that this version does not know is kept as it is.
  var kind: UInt8

  init(_ kind: FactKind, key: Hash128, until: Int64, value: FactValue = FactValue()) {
    self.init(rawKind: kind.rawValue, key: key, until: until, value: value)
  }

  init(rawKind: UInt8, key: Hash128, until: Int64, value: FactValue) {
    self.key = key
    self.until = until
    self.value = value
    self.kind = rawKind
  }

  /// Whether the clock of its kind is the timer clock, not the input clock.
  var isByTimer: Bool { kind < 128 }

  /// Whether it holds for good.
  var isEndless: Bool { until == Int64.max }

  /// Whether it holds by the clock of its kind.
  func holds(at clocks: FactClocks) -> Bool { until > (isByTimer ? clocks.timer : clocks.input) }

  func append(to buffer: inout OutputBuffer) {
    buffer.append(key)
    buffer.append(byte: kind)
    buffer.append(littleEndian: until)
    value.append(to: &buffer)
  }

  /// Reads what stands behind a key; nil where the bytes are no fact.
  init?(key: Hash128, _ reader: inout ByteReader) {
    guard let kind = reader.byte(), kind > 0, let until = reader.integer(Int64.self),
      let value = FactValue(&reader)
    else { return nil }
    self.init(rawKind: kind, key: key, until: until, value: value)
  }
}

/// The instants by which facts hold, in milliseconds since the epoch.
struct FactClocks: Equatable {
  var input: Int64
  var timer: Int64
}

/// Up to 16 bytes, kept in place: facts take no memory of their own.
struct FactValue: Equatable {
  static let capacity = 16

  private var low: UInt64 = 0
  private var high: UInt64 = 0
  private(set) var count: UInt8 = 0

  /// No bytes.
  init() {}

  /// A number as its 8 bytes, little-endian.
  init(_ number: UInt64) {
    low = number
    count = 8
  }

  /// Two numbers as their 16 bytes, little-endian.
  init(_ number: UInt64, _ second: UInt64) {
    low = number
    high = second
    count = 16
  }

  /// The number that the second 8 bytes are; 0 where there are fewer.
  var secondNumber: UInt64 { count >= 16 ? high : 0 }

  /// The number that the first 8 bytes are; 0 where there are fewer.
  var number: UInt64 { count >= 8 ? low : 0 }

  func append(to buffer: inout OutputBuffer) {
    buffer.append(byte: count)
    for index in 0..<Int(count) { buffer.append(byte: self[index]) }
  }

  /// Reads a counted value; nil where it is cut off or longer than this version keeps.
  init?(_ reader: inout ByteReader) {
    guard let count = reader.byte(), Int(count) <= Self.capacity, let bytes = reader.take(Int(count)) else {
      return nil
    }
    self.count = count
    for index in 0..<bytes.count {
      let bits = UInt64(bytes[index]) << UInt64(index % 8 * 8)
      if index < 8 { low |= bits } else { high |= bits }
    }
  }

  private subscript(index: Int) -> UInt8 {
    UInt8(truncatingIfNeeded: (index < 8 ? low : high) >> UInt64(index % 8 * 8))
  }
}
