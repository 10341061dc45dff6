/// One mail before it is written down: multipart/alternative of plain text and HTML.
///
/// The fields are text as people read it; the encoding of RFC 2047, 2045 and 5322 happens in `serialized()`.
public struct EmailMessage: Sendable {
  /// The id of the delivery; `Message-ID` and the MIME boundary are made of it, so that every retry of a delivery
  /// is the same mail, byte for byte, and a mail server may recognise it.
  public let deliveryID: DeliveryID
  /// The sender; its domain is that of the `Message-ID`.
  public let from: EmailMailbox
  /// The recipient.
  public let to: EmailAddress
  /// The subject. Line breaks and control characters in it become single spaces.
  public let subject: String
  /// The `Date`, milliseconds since the epoch: the time of the delivery, not of the attempt.
  public let dateMilliseconds: Int64
  /// The category of the notification, for filters: `X-Tidings-Category` and `List-Id`; nil where it has several.
  public let category: String?
  /// The plain text body, any line ending.
  public let text: String
  /// The HTML body, any line ending.
  public let html: String
  /// The `https` link by which the recipient unsubscribes with one click; nil for none.
  public var unsubscribeLink: String?

  /// The longest subject that is written, in characters; a longer one is cut and ends in an ellipsis.
  public static let subjectLimit = 200
}

/// The id of a delivery in a form that is safe in a header and as a file name: 1 to 128 ASCII letters, digits,
/// hyphens and underscores.
public struct DeliveryID: Hashable, Sendable, CustomStringConvertible {
  /// The id.
  public let description: String

  /// The id, or nil when it is too long or holds another character.
  public init?(_ text: String) {
    let isSafe = text.utf8.allSatisfy {
      isLetterOrDigit($0) || $0 == UInt8(ascii: "-") || $0 == UInt8(ascii: "_")
    }
    guard (1...64).contains(text.utf8.count), isSafe else { return nil }
    description = text
  }
}
