/// An address that is safe to write into a header and into an SMTP command: RFC 5321 `Local-part "@" Domain`,
/// with a dot-atom as local part.
///
/// Quoted local parts, address literals (`a@[127.0.0.1]`) and characters outside ASCII (SMTPUTF8) are refused:
/// hardly any mailbox needs them, and what is refused here can neither inject a header nor a command.
public struct EmailAddress: Hashable, Sendable, CustomStringConvertible {
  /// The part before the `@`, 1 to 64 bytes.
  public let localPart: String
  /// The part behind the `@`: letters, digits, hyphens and dots, 1 to 255 bytes.
  public let domain: String

  /// The address as it is written in a header and in `RCPT TO:<…>`.
  public var description: String { "\(localPart)@\(domain)" }

  /// Reads an address.
  ///
  /// - Throws: `InvalidEmailAddress` with the address (its control characters escaped) and what is wrong with it.
  public init(_ text: String) throws(InvalidEmailAddress) {
    guard let at = text.utf8.lastIndex(of: UInt8(ascii: "@")) else {
      throw InvalidEmailAddress(text, "it has no @")
    }
    let local = text.utf8[..<at]
    let domain = text.utf8[text.utf8.index(after: at)...]
    if let fault = Self.fault(inLocalPart: local) ?? Self.fault(inDomain: domain) {
      throw InvalidEmailAddress(text, fault)
    }
    self.localPart = String(Substring(local))
    self.domain = String(Substring(domain))
  }

  private static func fault(inLocalPart local: Substring.UTF8View) -> String? {
    guard !local.isEmpty else { return "there is nothing before the @" }
    guard local.count <= 64 else { return "the part before the @ is longer than 64 bytes" }
    guard local.first != dot, local.last != dot, !hasTwoDots(local) else {
      return "the part before the @ has a dot at its start or end, or two in a row"
    }
    for byte in local where byte != dot && !isAtomText(byte) {
      return "the part before the @ holds a character that needs quoting or is not ASCII"
    }
    return nil
  }

  private static func fault(inDomain domain: Substring.UTF8View) -> String? {
    guard !domain.isEmpty else { return "there is nothing behind the @" }
    guard domain.count <= 255 else { return "the domain is longer than 255 bytes" }
    for label in domain.split(separator: dot, omittingEmptySubsequences: false) {
      guard (1...63).contains(label.count) else {
        return "the domain has an empty label or one over 63 bytes"
      }
      guard label.first != hyphen, label.last != hyphen,
        label.allSatisfy({ isLetterOrDigit($0) || $0 == hyphen })
      else { return "the domain holds something else than ASCII letters, digits and inner hyphens" }
    }
    return nil
  }

  private static let dot = UInt8(ascii: ".")
  private static let hyphen = UInt8(ascii: "-")

  private static func hasTwoDots(_ bytes: Substring.UTF8View) -> Bool {
    zip(bytes, bytes.dropFirst()).contains { $0 == dot && $1 == dot }
  }
}

/// An address that no mail can be sent to, and why.
public struct InvalidEmailAddress: Error, CustomStringConvertible {
  /// A sentence with the address (at most 100 characters of it) and the fault.
  public let description: String

  init(_ address: String, _ fault: String) {
    description =
      "the email address \"\(address.prefix(100).debugDescription.dropFirst().dropLast())\": \(fault)"
  }
}

/// Whether the byte may stand in an atom (RFC 5322 `atext`).
func isAtomText(_ byte: UInt8) -> Bool {
  isLetterOrDigit(byte) || "!#$%&'*+-/=?^_`{|}~".utf8.contains(byte)
}

/// Whether the byte is an ASCII letter or digit.
func isLetterOrDigit(_ byte: UInt8) -> Bool {
  switch byte {
  case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"): true
  case UInt8(ascii: "0")...UInt8(ascii: "9"): true
  default: false
  }
}
