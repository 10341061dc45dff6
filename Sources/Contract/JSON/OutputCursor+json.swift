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
  /// - Returns: whether that was right: false where something in it may have to be escaped.
  @inline(__always)
  private static func copyClean(
    _ source: UnsafeRawPointer, _ count: Int, to target: UnsafeMutableRawPointer
  ) -> Bool {
    var marks: UInt64 = 0
    // The last word overlaps the one before: no text ends with single bytes, except those below four.
    if count >= 8 {
      let last = count - 8
      var index = 0
      while index < last {
        marks |= copyWord(source, to: target, at: index)
        index += 8
      }
      marks |= copyWord(source, to: target, at: last)
    } else if count >= 4 {
      let first = source.loadUnaligned(as: UInt32.self)
      let second = source.loadUnaligned(fromByteOffset: count - 4, as: UInt32.self)
      target.storeBytes(of: first, as: UInt32.self)
      target.storeBytes(of: second, toByteOffset: count - 4, as: UInt32.self)
      marks = self.marks(UInt64(first) << 32 | UInt64(second))
    } else {
      for index in 0..<count {
        let byte = source.load(fromByteOffset: index, as: UInt8.self)
        target.storeBytes(of: byte, toByteOffset: index, as: UInt8.self)
        if mustBeEscaped(byte) { return false }
      }
    }
    return marks & 0x8080_8080_8080_8080 == 0
  }

  @inline(__always)
  private static func copyWord(
    _ source: UnsafeRawPointer, to target: UnsafeMutableRawPointer, at index: Int
  ) -> UInt64 {
    let word = source.loadUnaligned(fromByteOffset: index, as: UInt64.self)
    target.storeBytes(of: word, toByteOffset: index, as: UInt64.self)
    return marks(word)
  }

  /// The highest bit of a byte says that it is below 0x20, a quote or a backslash. A borrow may mark a byte too many
  /// behind a marked one, never one too few.
  @inline(__always)
  private static func marks(_ word: UInt64) -> UInt64 {
    let quotes = word ^ 0x2222_2222_2222_2222
    let backslashes = word ^ 0x5C5C_5C5C_5C5C_5C5C
    let ones: UInt64 = 0x0101_0101_0101_0101
    return (word &- 0x2020_2020_2020_2020) & ~word | (quotes &- ones) & ~quotes
      | (backslashes &- ones) & ~backslashes
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
  mutating func decimal(_ value: Int64) {
    if value < 0 { byte(UInt8(ascii: "-")) }
    var rest = value.magnitude
    var length = 1
    var bound: UInt64 = 10
    // No number of 64 bits with a sign has more than 19 digits.
    while length < 19, rest >= bound {
      length += 1
      bound &*= 10
    }
    next += length
    var end = next
    while rest >= 100 {
      let (quotient, remainder) = rest.quotientAndRemainder(dividingBy: 100)
      end -= 2
      end.storeBytes(of: Self.digits(remainder), as: UInt16.self)
      rest = quotient
    }
    if rest >= 10 {
      (end - 2).storeBytes(of: Self.digits(rest), as: UInt16.self)
    } else {
      (end - 1).storeBytes(of: UInt8(ascii: "0") + UInt8(truncatingIfNeeded: rest), as: UInt8.self)
    }
  }

  /// The two digits of a number below 100, the first one in the lower byte.
  @inline(__always)
  private static func digits(_ value: UInt64) -> UInt16 {
    let tens = (value &* 205) >> 11
    return (UInt16(truncatingIfNeeded: tens | (value &- tens &* 10) << 8) &+ 0x3030).littleEndian
  }

  /// Two digits of a number below 100.
  @inline(__always)
  private mutating func pair(_ value: UInt32) {
    integer(UInt16(littleEndian: Self.digits(UInt64(value))))
  }

  /// 16 lower-case hexadecimal digits.
  @inline(__always)
  mutating func hex(_ value: UInt64) {
    next.storeBytes(of: Self.hexDigits(value >> 32).bigEndian, as: UInt64.self)
    next.storeBytes(of: Self.hexDigits(value & 0xFFFF_FFFF).bigEndian, toByteOffset: 8, as: UInt64.self)
    next += 16
  }

  /// The eight digits of a number of 32 bits, the first one in the highest byte: all at once, without branches.
  @inline(__always)
  private static func hexDigits(_ value: UInt64) -> UInt64 {
    var nibbles = (value << 16 | value) & 0x0000_FFFF_0000_FFFF
    nibbles = (nibbles << 8 | nibbles) & 0x00FF_00FF_00FF_00FF
    nibbles = (nibbles << 4 | nibbles) & 0x0F0F_0F0F_0F0F_0F0F
    // Plus 6, a nibble from 10 on carries into the next four bits: those get the distance from "9" to "a".
    let letters = (nibbles &+ 0x0606_0606_0606_0606) >> 4 & 0x0101_0101_0101_0101
    return nibbles &+ 0x3030_3030_3030_3030 &+ letters &* 0x27
  }

  /// The bytes of an instant with its quotes.
  static var roomForTime: Int { 26 }

  /// An instant as a JSON string in RFC 3339, UTC, with milliseconds.
  ///
  /// - Parameter milliseconds: since the epoch; years 0 to 9999 are represented, others are clamped.
  mutating func time(_ milliseconds: Int64) {
    let clamped = min(max(milliseconds, -62_167_219_200_000), 253_402_300_799_999)
    let (days, rest) = clamped.flooredQuotientAndRemainder(dividingBy: 86_400_000)
    let (year, month, day) = CivilDate.date(ofDay: days)
    // Of a day there are fewer milliseconds than 32 bits hold, whose division is cheaper.
    let thousandths = UInt32(truncatingIfNeeded: rest)
    let seconds = thousandths / 1000
    let century = UInt32(truncatingIfNeeded: year) / 100
    byte(UInt8(ascii: "\""))
    pair(century)
    pair(UInt32(truncatingIfNeeded: year) &- century &* 100)
    byte(UInt8(ascii: "-"))
    pair(UInt32(truncatingIfNeeded: month))
    byte(UInt8(ascii: "-"))
    pair(UInt32(truncatingIfNeeded: day))
    byte(UInt8(ascii: "T"))
    pair(seconds / 3600)
    byte(UInt8(ascii: ":"))
    pair(seconds / 60 % 60)
    byte(UInt8(ascii: ":"))
    pair(seconds % 60)
    byte(UInt8(ascii: "."))
    let fraction = thousandths % 1000
    byte(UInt8(truncatingIfNeeded: UInt32(UInt8(ascii: "0")) &+ fraction / 100))
    pair(fraction % 100)
    literal("Z\"")
  }
}
