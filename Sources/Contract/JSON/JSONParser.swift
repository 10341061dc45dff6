import CSimdjson

/// Validates JSON texts (RFC 8259) and gives read-only access to their values, without building a tree.
///
/// It owns the memory of simdjson and reuses it for every text, so that steady use does not allocate. A text is
/// refused when it is not UTF-8, nests deeper than the limit, or has half a surrogate pair in an escape. Numbers of any
/// size are valid. Not thread-safe: a parser belongs to the thread of its owner.
public struct JSONParser: ~Copyable {
  private let handle: OpaquePointer
  /// The number of objects and arrays that may be nested.
  public let maxDepth: Int

  /// A parser for texts that nest at most `maxDepth` objects and arrays (1 to 1,000; clamped).
  ///
  /// - Throws: `JSONError.outOfMemory`.
  public init(maxDepth: Int = 128) throws(JSONError) {
    let depth = min(max(1, maxDepth), 1000)
    guard let handle = csimdjson_parser_create(UInt32(depth)) else { throw JSONError(.outOfMemory) }
    self.handle = handle
    self.maxDepth = depth
  }

  deinit { csimdjson_parser_destroy(handle) }

  /// Validates one JSON value and gives access to it.
  ///
  /// - Returns: the value; it is valid until the next parse and as long as the bytes are.
  /// - Throws: `JSONError` with what is wrong and where.
  public mutating func parse(_ bytes: ByteView) throws(JSONError) -> JSONValue {
    try parse(bytes, maxDepth: maxDepth)
  }

  private mutating func parse(_ bytes: ByteView, maxDepth: Int) throws(JSONError) -> JSONValue {
    var tokens = csimdjson_tokens()
    let status = csimdjson_parser_scan(
      handle, bytes.start, bytes.count, UInt32(truncatingIfNeeded: maxDepth), &tokens)
    guard status == csimdjson_ok, let text = bytes.start, let starts = tokens.starts,
      let closers = tokens.closers
    else {
      throw JSONError(JSONError.Kind(status), offset: tokens.has_error_offset ? tokens.error_offset : nil)
    }
    return JSONValue(
      text: text, starts: starts, closers: closers, hasEscapes: tokens.has_escapes, token: 0)
  }

  /// Validates one JSON value of which nothing is to be read: cheaper than `parse(_:)`, with the same result.
  ///
  /// - Parameter depth: the number of objects and arrays that may be nested, where that is less than the parser's own.
  /// - Throws: `JSONError` with what is wrong and where.
  public mutating func validate(_ bytes: ByteView, maxDepth depth: Int = .max) throws(JSONError) {
    let depth = min(max(0, depth), maxDepth)
    if csimdjson_is_plain(bytes.start, bytes.count, UInt32(truncatingIfNeeded: depth)) { return }
    _ = try parse(bytes, maxDepth: depth)
  }
}

/// Why a text is not JSON that we accept.
public struct JSONError: Error, Equatable, Sendable, CustomStringConvertible {
  /// What was found.
  public enum Kind: String, Sendable {
    /// There is nothing but white space.
    case empty
    /// The text is larger than a gibibyte.
    case tooLarge
    /// Objects and arrays nest deeper than the limit.
    case tooDeep
    /// The bytes are not UTF-8.
    case invalidUTF8
    /// A string has no end.
    case unclosedString
    /// A string holds a control character that is not escaped.
    case controlCharacter
    /// An escape in a string is none of JSON's, or half a surrogate pair.
    case invalidEscape
    /// A number is not as JSON writes it.
    case invalidNumber
    /// A word is neither `true`, `false` nor `null`.
    case invalidLiteral
    /// A token stands where the grammar does not allow it, or the text ends too early.
    case unexpectedToken
    /// There was no memory.
    case outOfMemory
  }

  /// What was found.
  public let kind: Kind
  /// The byte near which it was found; nil when unknown.
  public let offset: Int?

  init(_ kind: Kind, offset: Int? = nil) {
    self.kind = kind
    self.offset = offset
  }

  /// A clause for a sentence about the text.
  public var description: String {
    let place = offset.map { " at byte \($0)" } ?? ""
    switch kind {
    case .empty: return "it is empty"
    case .tooLarge: return "it is too large"
    case .tooDeep: return "it nests too deep\(place)"
    case .invalidUTF8: return "it is not valid UTF-8"
    case .unclosedString: return "a string has no end"
    case .controlCharacter: return "a string holds a control character that is not escaped"
    case .invalidEscape: return "a string has an invalid escape\(place)"
    case .invalidNumber: return "a number is malformed\(place)"
    case .invalidLiteral: return "there is an unknown word\(place)"
    case .unexpectedToken:
      return offset == nil ? "it is malformed" : "it is malformed or ends too early\(place)"
    case .outOfMemory: return "there is no memory to read it"
    }
  }
}

extension JSONError.Kind {
  fileprivate init(_ status: csimdjson_status) {
    switch status {
    case csimdjson_empty: self = .empty
    case csimdjson_too_large: self = .tooLarge
    case csimdjson_too_deep: self = .tooDeep
    case csimdjson_invalid_utf8: self = .invalidUTF8
    case csimdjson_unclosed_string: self = .unclosedString
    case csimdjson_control_character: self = .controlCharacter
    case csimdjson_invalid_escape: self = .invalidEscape
    case csimdjson_invalid_number: self = .invalidNumber
    case csimdjson_invalid_literal: self = .invalidLiteral
    case csimdjson_out_of_memory: self = .outOfMemory
    default: self = .unexpectedToken
    }
  }
}
