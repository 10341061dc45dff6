/// An instant, as reports show it and as JSON has it: RFC 3339 in UTC with milliseconds.
public struct Instant: Hashable, Comparable, Sendable, Encodable, CustomStringConvertible {
  /// Milliseconds since the epoch.
  public let milliseconds: Int64

  /// The instant so many milliseconds after the epoch.
  public init(_ milliseconds: Int64) { self.milliseconds = milliseconds }

  /// The earlier one first.
  public static func < (left: Instant, right: Instant) -> Bool { left.milliseconds < right.milliseconds }

  /// Such as `2026-03-01T08:30:00.500Z`.
  public var description: String {
    var buffer = OutputBuffer(capacity: 32)
    buffer.append(jsonTime: milliseconds)
    return buffer.view.slice(1..<buffer.count - 1).string
  }

  /// Writes the text.
  public func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(description)
  }
}
