/// Why a text is not the quantity that it should be: a sentence without a full stop that says what to write.
public struct QuantityError: Error, Equatable, Sendable, CustomStringConvertible {
  /// The sentence.
  public let description: String
}

/// Durations as text: a whole number and a unit, `250ms`, `5s`, `10m`, `1h`, `7d`.
///
/// A day is 24 hours. A number without a unit is refused, zero too: which unit was meant is never guessed.
public enum DurationText {
  private static let units: [(name: String, milliseconds: Int64)] = [
    ("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1_000), ("ms", 1),
  ]

  /// Reads a duration.
  ///
  /// - Throws: `QuantityError` when the text is not a whole number and a unit, or too large for milliseconds in 64 bits.
  public static func parse(_ text: String) throws(QuantityError) -> Duration {
    let (digits, unit) = splitQuantity(text)
    guard !digits.isEmpty, let factor = units.first(where: { $0.name == unit })?.milliseconds else {
      let reason = unit.isEmpty && !digits.isEmpty ? "has no unit" : "is not a duration"
      throw QuantityError(
        description:
          "\"\(text)\" \(reason): write a whole number and ms, s, m, h or d, such as 250ms, 5s or 24h")
    }
    guard let number = Int64(digits) else {
      throw QuantityError(description: "\"\(text)\" is too long a duration")
    }
    let (milliseconds, overflow) = number.multipliedReportingOverflow(by: factor)
    guard !overflow else { throw QuantityError(description: "\"\(text)\" is too long a duration") }
    return .milliseconds(milliseconds)
  }

  /// The duration in the largest unit that holds it without a rest, down to milliseconds (below: rounded down).
  public static func format(_ duration: Duration) -> String {
    let milliseconds = duration.wholeMilliseconds
    for unit in units where milliseconds != 0 && milliseconds % unit.milliseconds == 0 {
      return "\(milliseconds / unit.milliseconds)\(unit.name)"
    }
    return "0ms"
  }
}

/// Sizes in bytes as text: a whole number and a unit, `512B`, `64KiB`, `8MiB`, `1GiB`.
public enum ByteSizeText {
  private static let units: [(name: String, bytes: Int)] = [
    ("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10), ("B", 1),
  ]

  /// Reads a size.
  ///
  /// - Throws: `QuantityError` when the text is not a whole number and a unit, or too large for 64 bits.
  public static func parse(_ text: String) throws(QuantityError) -> Int {
    let (digits, unit) = splitQuantity(text)
    guard !digits.isEmpty, let factor = units.first(where: { $0.name == unit })?.bytes else {
      let reason = unit.isEmpty && !digits.isEmpty ? "has no unit" : "is not a size"
      throw QuantityError(
        description: "\"\(text)\" \(reason): write a whole number and B, KiB, MiB or GiB, such as 256KiB")
    }
    guard let number = Int(digits) else {
      throw QuantityError(description: "\"\(text)\" is too large a size")
    }
    let (bytes, overflow) = number.multipliedReportingOverflow(by: factor)
    guard !overflow else { throw QuantityError(description: "\"\(text)\" is too large a size") }
    return bytes
  }

  /// The size in the largest unit that holds it without a rest.
  public static func format(_ bytes: Int) -> String {
    for unit in units where bytes != 0 && bytes % unit.bytes == 0 {
      return "\(bytes / unit.bytes)\(unit.name)"
    }
    return "0B"
  }
}

extension Duration {
  /// The duration in milliseconds, what is below a millisecond cut off; clamped to 64 bits.
  public var wholeMilliseconds: Int64 {
    let (seconds, attoseconds) = components
    let (whole, overflow) = seconds.multipliedReportingOverflow(by: 1_000)
    guard !overflow else { return seconds < 0 ? .min : .max }
    let (sum, sumOverflow) = whole.addingReportingOverflow(attoseconds / 1_000_000_000_000_000)
    return sumOverflow ? (seconds < 0 ? .min : .max) : sum
  }
}

/// The leading ASCII digits of a text, and the rest without spaces before it.
private func splitQuantity(_ text: String) -> (digits: String, unit: String) {
  let digits = text.prefix { ("0"..."9").contains($0) }
  return (String(digits), String(text.dropFirst(digits.count).drop { $0 == " " }))
}
