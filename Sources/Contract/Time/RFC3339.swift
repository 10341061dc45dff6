/// Reads instants as RFC 3339 writes them, which CloudEvents uses for its timestamps.
public enum RFC3339 {
  /// The instant in milliseconds since the epoch, or nil if the text is not an RFC 3339 date-time.
  ///
  /// The separators `T` and `Z` may be in lower case. What is finer than a millisecond is cut off. A leap second
  /// (`23:59:60` in UTC) is the first instant of the next day, as in POSIX.
  public static func milliseconds(of text: ByteView) -> Int64? {
    guard text.count >= 20, let year = number(text, 0, 4), text[4] == UInt8(ascii: "-"),
      let month = number(text, 5, 2), text[7] == UInt8(ascii: "-"), let day = number(text, 8, 2),
      text[10] | 0x20 == UInt8(ascii: "t"), let hour = number(text, 11, 2), text[13] == UInt8(ascii: ":"),
      let minute = number(text, 14, 2), text[16] == UInt8(ascii: ":"), let second = number(text, 17, 2)
    else { return nil }
    guard (1...12).contains(month), day >= 1, day <= CivilDate.days(inMonth: month, ofYear: year),
      hour <= 23, minute <= 59, second <= 60
    else { return nil }
    var position = 19
    guard let fraction = fraction(text, &position), let offset = offsetSeconds(text, position) else {
      return nil
    }
    let minuteStart =
      CivilDate.day(year: year, month: month, day: day) * 86_400 + hour * 3600 + minute * 60 - offset
    if second == 60 && minuteStart.flooredQuotientAndRemainder(dividingBy: 86_400).remainder != 86_340 {
      return nil
    }
    return (minuteStart + second) * 1000 + fraction
  }

  private static func number(_ text: ByteView, _ start: Int, _ length: Int) -> Int64? {
    var value: Int64 = 0
    for index in start..<(start + length) {
      guard isDigit(text[index]) else { return nil }
      value = value * 10 + Int64(text[index] - UInt8(ascii: "0"))
    }
    return value
  }

  /// Milliseconds of the fraction that may begin at `position`, which moves behind it.
  private static func fraction(_ text: ByteView, _ position: inout Int) -> Int64? {
    guard text[position] == UInt8(ascii: ".") else { return 0 }
    position += 1
    let first = position
    var value: Int64 = 0
    var scale: Int64 = 100
    while position < text.count, isDigit(text[position]) {
      value += Int64(text[position] - UInt8(ascii: "0")) * scale
      scale /= 10
      position += 1
    }
    return position > first ? value : nil
  }

  /// The offset from UTC in seconds that begins at `position` and has to end the text.
  private static func offsetSeconds(_ text: ByteView, _ position: Int) -> Int64? {
    guard position < text.count else { return nil }
    let sign = text[position]
    if sign | 0x20 == UInt8(ascii: "z") { return position + 1 == text.count ? 0 : nil }
    guard sign == UInt8(ascii: "+") || sign == UInt8(ascii: "-"), position + 6 == text.count,
      let hours = number(text, position + 1, 2), text[position + 3] == UInt8(ascii: ":"),
      let minutes = number(text, position + 4, 2), hours <= 23, minutes <= 59
    else { return nil }
    let seconds = hours * 3600 + minutes * 60
    return sign == UInt8(ascii: "-") ? -seconds : seconds
  }

  private static func isDigit(_ byte: UInt8) -> Bool {
    byte >= UInt8(ascii: "0") && byte <= UInt8(ascii: "9")
  }
}
