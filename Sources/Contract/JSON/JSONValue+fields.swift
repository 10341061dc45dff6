/// Typed access to the fields of records that Tidings itself reads back.
extension JSONValue {
  /// The field as a string.
  ///
  /// - Throws: `Rejection` when it is absent or no string.
  func requiredText(_ name: StaticString) throws(Rejection) -> String {
    guard let text = try optionalText(name) else {
      throw Rejection(.missingAttribute, "\"\(name)\" is missing.")
    }
    return text
  }

  /// The field as a string; nil when it is absent or null.
  ///
  /// - Throws: `Rejection` when it is no string.
  func optionalText(_ name: StaticString) throws(Rejection) -> String? {
    guard let value = self[name], value.kind != .null else { return nil }
    guard value.kind == .string else { throw Rejection(.invalidAttribute, "\"\(name)\" is not a string.") }
    return value.string
  }

  /// The field as an integer; nil when it is absent or null.
  ///
  /// - Throws: `Rejection` when it is no integer.
  func optionalInteger(_ name: StaticString) throws(Rejection) -> Int64? {
    guard let value = self[name], value.kind != .null else { return nil }
    guard let integer = value.integer else {
      throw Rejection(.invalidAttribute, "\"\(name)\" is not an integer of 64 bits.")
    }
    return integer
  }

  /// The field as an instant in milliseconds since the epoch; nil when it is absent or null.
  ///
  /// - Throws: `Rejection` when it is no RFC 3339 time.
  func optionalInstant(_ name: StaticString) throws(Rejection) -> Int64? {
    guard let text = try optionalText(name) else { return nil }
    guard let milliseconds = text.withByteView({ RFC3339.milliseconds(of: $0) }) else {
      throw Rejection(.invalidAttribute, "\"\(name)\" is \"\(text)\", which is no RFC 3339 time.")
    }
    return milliseconds
  }

  /// The field as an object or array.
  ///
  /// - Throws: `Rejection` when it is absent or something else.
  func required(_ name: StaticString, _ kind: Kind) throws(Rejection) -> JSONValue {
    guard let value = self[name] else { throw Rejection(.missingAttribute, "\"\(name)\" is missing.") }
    guard value.kind == kind else { throw Rejection(.invalidAttribute, "\"\(name)\" is not an \(kind).") }
    return value
  }
}
