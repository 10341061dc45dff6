/// The parts of JSON texts, and how many bytes each takes at most.
extension OutputCursor {
  /// The most bytes that a text of so many bytes takes as a JSON string with its quotes: six for each control character.
  static func room(forString count: Int) -> Int { count * 6 + 2 }

  /// A text as a JSON string with its quotes (RFC 8259 §7). The bytes must be UTF-8.
  mutating func string(_ text: ByteView) {
    byte(UInt8(ascii: "\""))
    escaped(text)
    byte(UInt8(ascii: "\""))
  }

  /// A literal that needs no escaping, as a JSON string.
  @inline(__always)
  mutating func quoted(_ text: StaticString) {
    byte(UInt8(ascii: "\""))
    literal(text)
    byte(UInt8(ascii: "\""))
  }

  /// A hash as a JSON string: 34 bytes.
  @inline(__always)
  mutating func quoted(_ hash: Hash128) {
    byte(UInt8(ascii: "\""))
    hex(hash.high)
    hex(hash.low)
    byte(UInt8(ascii: "\""))
  }

  /// The hash of a catalog as a JSON string: 18 bytes.
  @inline(__always)
  mutating func quoted(catalog: UInt64) {
    byte(UInt8(ascii: "\""))
    hex(catalog)
    byte(UInt8(ascii: "\""))
  }

  // MARK: - Texts

  /// A text with what a JSON string has to escape escaped, without quotes.
  mutating func escaped(_ text: ByteView) {
    guard let start = text.start else { return }
    let source = UnsafeRawPointer(start)
    guard Self.copyClean(source, text.count, to: next) else { return escape(source, text.count) }
    next += text.count
  }

  /// Copies a text as it is.
  ///
  /// - Returns: whether that was right: false where something in it has to be escaped.
  @inline(__always)
  private static func copyClean(
    _ source: UnsafeRawPointer, _ count: Int, to target: UnsafeMutableRawPointer
  ) -> Bool {
    var marks: SIMDMask<SIMD16<Int8>>
    // The last piece overlaps the one before: no text ends with single bytes, except those below four.
    if count >= 16 {
      let last = count - 16
      marks = copyPiece(source, to: target, at: last)
      var index = 0
      while index < last {
        marks = marks .| copyPiece(source, to: target, at: index)
        index &+= 16
      }
    } else if count >= 8 {
      let first = source.loadUnaligned(as: UInt64.self)
      let last = source.loadUnaligned(fromByteOffset: count - 8, as: UInt64.self)
      target.storeBytes(of: first, as: UInt64.self)
      target.storeBytes(of: last, toByteOffset: count - 8, as: UInt64.self)
      marks = self.marks(unsafeBitCast(SIMD2(first, last), to: SIMD16<UInt8>.self))
    } else if count >= 4 {
      let first = source.loadUnaligned(as: UInt32.self)
      let last = source.loadUnaligned(fromByteOffset: count - 4, as: UInt32.self)
      target.storeBytes(of: first, as: UInt32.self)
      target.storeBytes(of: last, toByteOffset: count - 4, as: UInt32.self)
      let both = UInt64(first) << 32 | UInt64(last)
      marks = self.marks(unsafeBitCast(SIMD2(both, both), to: SIMD16<UInt8>.self))
    } else {
      for index in 0..<count {
        let byte = source.load(fromByteOffset: index, as: UInt8.self)
        target.storeBytes(of: byte, toByteOffset: index, as: UInt8.self)
        if mustBeEscaped(byte) { return false }
      }
      return true
    }
    let words = unsafeBitCast(marks, to: SIMD2<UInt64>.self)
    return words[0] | words[1] == 0
  }

  @inline(__always)
  private static func copyPiece(
    _ source: UnsafeRawPointer, to target: UnsafeMutableRawPointer, at index: Int
  ) -> SIMDMask<SIMD16<Int8>> {
    let piece = source.loadUnaligned(fromByteOffset: index, as: SIMD16<UInt8>.self)
    target.storeBytes(of: piece, toByteOffset: index, as: SIMD16<UInt8>.self)
    return marks(piece)
  }

  /// Which bytes have to be escaped.
  @inline(__always)
  private static func marks(_ piece: SIMD16<UInt8>) -> SIMDMask<SIMD16<Int8>> {
    (piece .< SIMD16(repeating: 0x20)) .| (piece .== SIMD16(repeating: 0x22))
      .| (piece .== SIMD16(repeating: 0x5C))
  }

  @inline(__always)
  private static func mustBeEscaped(_ byte: UInt8) -> Bool { byte < 0x20 || byte == 0x22 || byte == 0x5C }

  @inline(never)
  private mutating func escape(_ source: UnsafeRawPointer, _ count: Int) {
    for index in 0..<count {
      let byte = source.load(fromByteOffset: index, as: UInt8.self)
      guard Self.mustBeEscaped(byte) else {
        self.byte(byte)
        continue
      }
      self.byte(UInt8(ascii: "\\"))
      switch byte {
      case 0x22, 0x5C: self.byte(byte)
      case 0x0A: self.byte(UInt8(ascii: "n"))
      case 0x0D: self.byte(UInt8(ascii: "r"))
      case 0x09: self.byte(UInt8(ascii: "t"))
      default:
        literal("u00")
        let digits: StaticString = "0123456789abcdef"
        self.byte(digits.utf8Start[Int(byte >> 4)])
        self.byte(digits.utf8Start[Int(byte & 15)])
      }
    }
  }

  // MARK: - Numbers

  /// The most bytes of a decimal integer.
  static var roomForDecimal: Int { 20 }

  /// A decimal integer.
  @inline(__always)
  mutating func decimal(_ value: Int64) {
    if 0..<10 ~= value { byte(UInt8(ascii: "0") | UInt8(truncatingIfNeeded: value)) } else { longer(value) }
  }

  @inline(never)
  private mutating func longer(_ value: Int64) {
    if value < 0 { byte(UInt8(ascii: "-")) }
    decimal(value.magnitude)
  }

  private mutating func decimal(_ value: UInt64) {
    if value < 10 { return byte(UInt8(ascii: "0") | UInt8(truncatingIfNeeded: value)) }
    let pack: UInt64 = 100_000_000
    var rest = value
    if value >= pack {
      decimal(value / pack)
      rest = value % pack
    }
    let digits = Self.digits(rest)
    // The first digits are the lowest bytes. Those in front of the number are noughts, and left out.
    let bits = value < pack ? digits.trailingZeroBitCount & ~7 : 0
    integer((digits | Self.asciiNoughts) >> UInt64(truncatingIfNeeded: bits))
    next -= bits / 8
  }

  /// The digits of a number below 100,000,000, one to a byte, the first one in the lowest.
  @inline(__always)
  private static func digits(_ value: UInt64) -> UInt64 {
    let high = value / 10_000
    // Two numbers of four digits, then four of two. A quotient by 100 or by 10 is a product that fits beside the next.
    let fours = high | (value &- high &* 10_000) << 32
    let hundreds = (fours &* 10_486) >> 20 & 0x0000_007F_0000_007F
    return digits(ofPairs: hundreds | (fours &- hundreds &* 100) << 16)
  }

  /// The digits of four numbers below 100 that are 16 bits apart, in their order from the lowest byte on.
  @inline(__always)
  private static func digits(ofPairs pairs: UInt64) -> UInt64 {
    let tens = (pairs &* 103) >> 10 & 0x000F_000F_000F_000F
    return tens | (pairs &- tens &* 10) << 8
  }

  private static var asciiNoughts: UInt64 { 0x3030_3030_3030_3030 }

  /// 16 lower-case hexadecimal digits.
  @inline(__always)
  mutating func hex(_ value: UInt64) {
    // Four bytes of the value to each half, then each byte to two, and of these the upper and the lower four bits.
    let bytes = value.bigEndian
    var pairs = SIMD2(bytes & 0xFFFF_FFFF, bytes >> 32)
    pairs = (pairs | pairs &<< 16) & 0x0000_FFFF_0000_FFFF
    pairs = (pairs | pairs &<< 8) & 0x00FF_00FF_00FF_00FF
    pairs = (pairs &>> 4 | pairs &<< 8) & 0x0F0F_0F0F_0F0F_0F0F
    let nibbles = unsafeBitCast(pairs, to: SIMD16<UInt8>.self)
    // Plus 6, a nibble from 10 on carries into the next four bits: those get the distance from "9" to "a".
    let letters = SIMD16<UInt8>(repeating: 0) &- ((nibbles &+ 6) &>> 4)
    next.storeBytes(of: nibbles &+ 0x30 &+ (letters & 0x27), as: SIMD16<UInt8>.self)
    next += 16
  }

  /// The bytes of an instant with its quotes.
  static var roomForTime: Int { 26 }

  /// An instant as a JSON string in RFC 3339, UTC, with milliseconds.
  ///
  /// - Parameter milliseconds: since the epoch; years 0 to 9999 are represented, others are clamped.
  mutating func time(_ milliseconds: Int64) {
    var sinceYear0 = UInt64(bitPattern: milliseconds &+ WrittenDay.epochMilliseconds)
    if sinceYear0 > WrittenDay.lastMillisecond {
      sinceYear0 = milliseconds < 0 ? 0 : WrittenDay.lastMillisecond
    }
    let number = sinceYear0 / 86_400_000
    // Of a day there are fewer milliseconds than 32 bits hold, whose division is cheaper.
    let rest = UInt32(truncatingIfNeeded: sinceYear0 &- number &* 86_400_000)
    if let day {
      if day.pointee.number != number { day.pointee = WrittenDay(number) }
      integer(day.pointee.first)
      integer(day.pointee.last)
    } else {
      let day = WrittenDay(number)
      integer(day.first)
      integer(day.last)
    }
    let seconds = rest / 1000
    let minutes = seconds / 60
    let hours = minutes / 60
    let thousandths = rest &- seconds &* 1000
    let tenths = thousandths / 100
    let pairs =
      UInt64(hours) | UInt64(minutes &- hours &* 60) << 16 | UInt64(seconds &- minutes &* 60) << 32
      | UInt64(thousandths &- tenths &* 100) << 48
    let digits = Self.digits(ofPairs: pairs)
    // 00:00:00, the digits two by two.
    integer(
      digits & 0xFFFF | (digits & 0xFFFF_0000) << 8 | (digits & 0xFFFF_0000_0000) << 16
        | 0x3030_3A30_303A_3030)
    // .000Z and the quote.
    integer(0x225A_3030_302E | UInt64(tenths) << 8 | (digits >> 48) << 16)
    next -= 2
  }
}

/// A day as instants have it, with the quote in front of it: `"2026-03-01T`. It is kept, since the next instant is of
/// the same day as a rule.
@usableFromInline
struct WrittenDay {
  /// Milliseconds from the beginning of the year 0 to the epoch.
  static let epochMilliseconds: Int64 = 62_167_219_200_000
  /// The last one of the year 9999, counted from the beginning of the year 0.
  static let lastMillisecond: UInt64 = 315_569_519_999_999

  /// The days since the beginning of the year 0.
  var number = UInt64.max
  /// The first eight bytes, the first one in the lowest.
  var first: UInt64 = 0
  /// The last four.
  var last: UInt32 = 0

  @usableFromInline init() {}

  @inline(never)
  init(_ number: UInt64) {
    self.number = number
    let days = Int64(number) - Self.epochMilliseconds / 86_400_000
    let (year, month, day) = CivilDate.date(ofDay: days)
    func pair(_ value: Int64) -> UInt64 { UInt64(0x30 + value / 10 | (0x30 + value % 10) << 8) }
    let mark = UInt64(UInt8(ascii: "-"))
    first =
      UInt64(UInt8(ascii: "\"")) | pair(year / 100) << 8 | pair(year % 100) << 24 | mark << 40 | pair(month)
      << 48
    last = UInt32(mark | pair(day) << 8 | UInt64(UInt8(ascii: "T")) << 24)
  }
}
