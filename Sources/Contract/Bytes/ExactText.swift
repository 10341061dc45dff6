/// A text that equals another only if they have the same UTF-8 bytes: for ids as keys of dictionaries.
///
/// A `String` equals every other of the same canonical equivalence, such as "é" as one scalar and as two, or "K" and
/// the Kelvin sign. To Kafka's keys, to hashes and to databases these are different.
public struct ExactText: Hashable, Sendable {
  /// The text.
  public let string: String

  /// The text to compare by its bytes.
  public init(_ string: String) { self.string = string }

  /// Whether both have the same bytes.
  public static func == (left: ExactText, right: ExactText) -> Bool {
    left.string.utf8.elementsEqual(right.string.utf8)
  }

  /// Feeds the bytes, with an end that no UTF-8 holds.
  public func hash(into hasher: inout Hasher) {
    var text = string
    text.withUTF8 { hasher.combine(bytes: UnsafeRawBufferPointer($0)) }
    hasher.combine(UInt8.max)
  }
}
