import Contract
import Crypto
import Foundation

/// Who wants no more of what: the part of an unsubscribe link that says so, signed, so that nobody can unsubscribe others.
///
/// It never expires, and does the same however often it is used. Whoever has the link can use it, as RFC 8058 wants it: a
/// mail that is forwarded takes it along.
struct UnsubscribeToken: Equatable, Sendable {
  /// The delivery that the link was in.
  var delivery: String
  /// The recipient's tenant.
  var tenant: String
  /// The recipient's id.
  var recipient: String
  /// The category that is meant, on the channel `email`.
  var category: String

  private static let version: UInt8 = 1

  init(delivery: String, tenant: String, recipient: String, category: String) {
    self.delivery = delivery
    self.tenant = tenant
    self.recipient = recipient
    self.category = category
  }

  /// The token of a text that was made with this key; nil for any other.
  init?(_ text: some StringProtocol, key: UnsubscribeKey) {
    // Longer than any that is made.
    guard text.utf8.count <= 8192, let bytes = Self.bytes(ofBase64URL: text),
      bytes.count > UnsubscribeKey.signatureLength
    else { return nil }
    let payload = bytes.dropLast(UnsubscribeKey.signatureLength)
    guard key.isSignature(bytes.suffix(UnsubscribeKey.signatureLength), of: payload),
      payload.first == Self.version
    else { return nil }
    var rest = payload.dropFirst()
    var fields: [String] = []
    while let low = rest.popFirst() {
      guard let high = rest.popFirst() else { return nil }
      let count = Int(low) | Int(high) << 8
      guard rest.count >= count, let field = String(validating: rest.prefix(count), as: UTF8.self) else {
        return nil
      }
      fields.append(field)
      rest = rest.dropFirst(count)
    }
    guard fields.count == 4 else { return nil }
    self.init(delivery: fields[0], tenant: fields[1], recipient: fields[2], category: fields[3])
  }

  /// The text for a link: letters, digits, `-` and `_`; the same for the same token and key.
  func text(key: UnsubscribeKey) -> String {
    var payload = [Self.version]
    for field in [delivery, tenant, recipient, category] {
      let bytes = field.utf8.prefix(Int(UInt16.max))
      payload += [UInt8(truncatingIfNeeded: bytes.count), UInt8(truncatingIfNeeded: bytes.count >> 8)]
      payload += bytes
    }
    return Data(payload + key.signature(of: payload)).base64EncodedString()
      .replacing("+", with: "-").replacing("/", with: "_").replacing("=", with: "")
  }

  private static func bytes(ofBase64URL text: some StringProtocol) -> [UInt8]? {
    let isPlain = text.utf8.allSatisfy {
      isLetterOrDigit($0) || $0 == UInt8(ascii: "-") || $0 == UInt8(ascii: "_")
    }
    guard isPlain else { return nil }
    let padding = String(repeating: "=", count: (4 - text.utf8.count % 4) % 4)
    let base64 = String(text).replacing("-", with: "+").replacing("_", with: "/") + padding
    return Data(base64Encoded: base64).map { Array($0) }
  }
}

/// The secret that unsubscribe links are signed with: all email sinks of a deployment share it.
public struct UnsubscribeKey: Sendable {
  private let key: SymmetricKey

  /// The least length of a secret, in bytes.
  public static let minimumLength = 16
  /// The bytes of a signature.
  static let signatureLength = SHA256.byteCount

  /// A key; nil when the secret is shorter than ``minimumLength``.
  public init?(secret: String) {
    guard secret.utf8.count >= Self.minimumLength else { return nil }
    key = SymmetricKey(data: Array(secret.utf8))
  }

  /// The HMAC-SHA-256 of a message (RFC 2104).
  func signature(of message: some DataProtocol) -> HMAC<SHA256>.MAC {
    HMAC<SHA256>.authenticationCode(for: message, using: key)
  }

  /// Whether bytes are the signature of a message; takes as long for a wrong one as for the right one.
  func isSignature(_ bytes: some ContiguousBytes, of message: some DataProtocol) -> Bool {
    HMAC<SHA256>.isValidAuthenticationCode(bytes, authenticating: message, using: key)
  }
}
