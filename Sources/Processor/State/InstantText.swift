import Contract

/// An instant as tools write it: RFC 3339 in UTC with milliseconds.
public struct InstantText: CustomStringConvertible, Sendable {
  /// The text.
  public let description: String

  /// - Parameter milliseconds: since the epoch.
  public init(_ milliseconds: Int64) {
    var buffer = OutputBuffer(capacity: 32)
    buffer.append(jsonTime: milliseconds)
    description = buffer.view.slice(1..<buffer.count - 1).string
  }
}
