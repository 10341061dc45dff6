/// A JSON value with its own memory, for templates and other readers off the data path.
public indirect enum JSONTree: Equatable, Sendable {
  /// `null`.
  case null
  /// `true` or `false`.
  case bool(Bool)
  /// A number as the producer wrote it: numbers of any size are valid, and a template prints them unchanged.
  case number(String)
  /// A string.
  case string(String)
  /// An array.
  case array([JSONTree])
  /// An object; of members with the same name the last one counts.
  case object([String: JSONTree])

  /// A copy of a parsed value. Its depth is bounded by the parser's limit.
  public init(_ value: JSONValue) {
    switch value.kind {
    case .null: self = .null
    case .bool: self = .bool(value.bool ?? false)
    case .number: self = .number(value.raw.string)
    case .string: self = .string(value.string)
    case .array: self = .array(value.elements.map { JSONTree($0) })
    case .object:
      var members: [String: JSONTree] = [:]
      for member in value.members { members[member.nameText] = JSONTree(member.value) }
      self = .object(members)
    }
  }

  /// The member of an object with that name; nil if there is none or the value is no object.
  public subscript(name: String) -> JSONTree? {
    guard case .object(let members) = self else { return nil }
    return members[name]
  }

  /// The text of a string, or of a number or truth value as JSON writes it; nil for other values.
  public var text: String? {
    switch self {
    case .string(let text), .number(let text): text
    case .bool(let value): value ? "true" : "false"
    case .null, .array, .object: nil
    }
  }
}
