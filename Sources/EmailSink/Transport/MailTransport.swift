/// A way out for mail: an SMTP server or a directory.
public protocol MailTransport: Sendable {
  /// Hands one mail over, and returns when the other side has taken responsibility or refused.
  ///
  /// A repeat of a mail that was already handed over has to be harmless where the medium allows it.
  func send(_ mail: OutgoingMail) async -> MailTransportResult

  /// Ends connections and threads, after the sends in progress. Sends that come later are `unavailable`.
  func shutdown() async
}

/// A mail in its final form, with the envelope.
public struct OutgoingMail: Sendable {
  /// The id of the delivery, the same on every attempt.
  public let deliveryID: DeliveryID
  /// The time of the delivery, milliseconds since the epoch.
  public let dateMilliseconds: Int64
  /// The envelope's sender (`MAIL FROM`).
  public let sender: EmailAddress
  /// The envelope's recipient (`RCPT TO`).
  public let recipient: EmailAddress
  /// The message, CRLF line ends.
  public let content: [UInt8]

  /// The mail of a message: the envelope is taken from its `From` and `To`.
  public init(_ message: EmailMessage) {
    deliveryID = message.deliveryID
    dateMilliseconds = message.dateMilliseconds
    sender = message.from.address
    recipient = message.to
    content = message.serialized()
  }
}

/// What became of one attempt to hand a mail over.
public enum MailTransportResult: Equatable, Sendable {
  /// Taken; the detail is the server's reply or the name of the file.
  case sent(detail: String)
  /// This mail was refused for now (SMTP 4xx); another may pass.
  case transient(reason: String)
  /// The server refuses the recipient's address for good: no mail to it will ever be taken.
  case addressRefused(reason: String)
  /// This mail will never be taken (SMTP 5xx).
  case permanent(reason: String)
  /// No mail can be handed over at present: no connection, credentials refused, disk full.
  case unavailable(reason: String)
}
