import Foundation

/// How everything but the records of topics is written as JSON: reports, health, the inbox.
///
/// Members are sorted by name, so that equal values give equal bytes, and slashes are not escaped.
public enum JSONDocument {
  /// How a document is laid out.
  public enum Layout: Sendable {
    /// On one line.
    case line
    /// A member a line, indented.
    case indented
  }

  /// The document, without a line break behind it.
  ///
  /// - Throws: `EncodingError`, such as for a number that JSON has none for.
  public static func data(_ document: some Encodable, as layout: Layout) throws -> Data {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    if layout == .indented { encoder.outputFormatting.insert(.prettyPrinted) }
    return try encoder.encode(document)
  }

  /// The document as text, ending with a line break.
  ///
  /// - Throws: `EncodingError`, such as for a number that JSON has none for.
  public static func text(_ document: some Encodable, as layout: Layout) throws -> String {
    String(decoding: try data(document, as: layout), as: UTF8.self) + "\n"
  }
}
