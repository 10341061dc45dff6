/// Decides what a failed SMTP transaction means for the mail.
///
/// Pure, so that the table of cases can be tested by itself.
enum SMTPVerdict {
  /// The result of a transaction that libcurl reports as failed.
  ///
  /// - Parameters:
  ///   - stage: how far the conversation came.
  ///   - verb: the last command.
  ///   - replyCode: the code of the reply to it; nil when the connection ended or timed out before one.
  ///   - replyText: the server's words.
  ///   - error: libcurl's words.
  static func failure(
    stage: SMTPExchange.Stage, verb: String, replyCode: Int?, replyText: String, error: String
  ) -> MailTransportResult {
    let place = verb.isEmpty ? "while connecting" : "after \(verb)"
    guard stage != .session else {
      let words = replyText.isEmpty ? error : "\(replyText) (\(error))"
      return .unavailable(reason: "no session with the SMTP server, \(place): \(words)")
    }
    switch replyCode {
    case .some(421):
      // RFC 5321, 3.8: the server closes the channel, whatever the mail.
      return .unavailable(reason: "the SMTP server closed the session \(place): \(replyText)")
    case .some(530), .some(535), .some(538):
      // RFC 4954: authentication or encryption is missing; the settings are at fault, not the mail.
      return .unavailable(reason: "the SMTP server wants other credentials or TLS \(place): \(replyText)")
    case .some(500..<600) where verb == "MAIL" && replyCode != 552:
      // The sender or this client is refused, whoever the mail is for; 552 alone speaks of the mail's size.
      return .unavailable(reason: "the SMTP server refuses the sender \(place): \(replyText)")
    case .some(500..<600):
      return .permanent(reason: "refused by the SMTP server \(place): \(replyText)")
    case .some(400..<500):
      return .transient(reason: "refused for now by the SMTP server \(place): \(replyText)")
    default:
      // Counted as an attempt of this mail: it may be what the server stumbles over.
      return .transient(reason: "the SMTP server gave no usable reply \(place): \(error)")
    }
  }
}
