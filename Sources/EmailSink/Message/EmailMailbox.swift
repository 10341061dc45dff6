/// An address with an optional display name: `Tidings <tidings@example.org>` (RFC 5322 `mailbox`).
public struct EmailMailbox: Hashable, Sendable {
  /// The name that mail programs show; nil when only the address is written.
  public let name: String?
  /// The address.
  public let address: EmailAddress

  /// A mailbox of its parts.
  public init(name: String?, address: EmailAddress) {
    self.name = name
    self.address = address
  }

  /// Reads `address`, `<address>` or `name <address>`, as it stands in a configuration file.
  ///
  /// - Throws: `InvalidEmailAddress` that says what is wrong.
  public init(_ text: String) throws(InvalidEmailAddress) {
    guard let open = text.lastIndex(of: "<") else {
      self.init(name: nil, address: try EmailAddress(text.trimmingSpaces()))
      return
    }
    let rest = text[text.index(after: open)...].trimmingSpaces()
    guard rest.last == ">" else { throw InvalidEmailAddress(text, "a < without its >") }
    let name = text[..<open].trimmingSpaces()
    let unquoted =
      name.count >= 2 && name.first == "\"" && name.last == "\"" ? String(name.dropFirst().dropLast()) : name
    self.init(name: unquoted.isEmpty ? nil : unquoted, address: try EmailAddress(String(rest.dropLast())))
  }
}

extension StringProtocol {
  func trimmingSpaces() -> String {
    var rest = self[...]
    while rest.first == " " { rest.removeFirst() }
    while rest.last == " " { rest.removeLast() }
    return String(rest)
  }
}
