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
    case .some(400..<500) where verb == "MAIL":
      // No recipient and no content is known to it yet: its disk is full, or it limits this client.
      return .unavailable(reason: "the SMTP server takes no mail for now \(place): \(replyText)")
    case .some(let code) where verb == "RCPT" && refusesAddress(code, replyText):
      return .addressRefused(reason: "the SMTP server refuses the address: \(replyText)")
    case .some(500..<600):
      return .permanent(reason: "refused by the SMTP server \(place): \(replyText)")
    case .some(400..<500):
      return .transient(reason: "refused for now by the SMTP server \(place): \(replyText)")
    default:
      // Counted as an attempt of this mail: it may be what the server stumbles over.
      return .transient(reason: "the SMTP server gave no usable reply \(place): \(error)")
    }
  }

  /// Whether a refusal of `RCPT` says that the address is wrong for good, and not that this mail, its sender or this
  /// moment is.
  ///
  /// An enhanced status code (RFC 3463) decides where there is one: the mailbox or its system does not exist (5.1.0 to
  /// 5.1.3), has moved (5.1.6), takes no mail at all (5.1.10, RFC 7505), or is disabled (5.2.1). A full mailbox (5.2.2), a policy
  /// (5.7.x), a route (5.4.x) is none of that. Without one only 556 (the domain takes no mail, RFC 7504) says so for sure:
  /// 550, 551 and 553 are also what a relay answers that is not to send for us ("550 relay not permitted"; RFC 5321 §4.2.3
  /// names policy among their reasons), and an address that is noted as wrong gets no mail ever after.
  static func refusesAddress(_ code: Int, _ replyText: String) -> Bool {
    guard (500..<600).contains(code) else { return false }
    if let status = enhancedStatus(in: replyText) {
      return ["5.1.0", "5.1.1", "5.1.2", "5.1.3", "5.1.6", "5.1.10", "5.2.1"].contains(status)
    }
    return code == 556
  }

  /// The enhanced status code of a reply: behind its code (RFC 2034 §4), or as qmail writes it, `(#5.1.1)`, anywhere; nil
  /// where there is none.
  private static func enhancedStatus(in replyText: String) -> String? {
    let text = replyText.dropFirst(3).drop { $0 == " " || $0 == "-" }
    if let status = permanentStatus(at: text) { return status }
    return text.split(separator: "#", omittingEmptySubsequences: false).dropFirst().lazy.compactMap {
      permanentStatus(at: $0)
    }.first
  }

  /// The status code of class 5 that a text begins with.
  private static func permanentStatus(at text: Substring) -> String? {
    let word = text.prefix { $0.isASCII && ($0.isNumber || $0 == ".") }
    let numbers = word.split(separator: ".", omittingEmptySubsequences: false)
    guard numbers.count == 3, numbers[0] == "5", numbers.allSatisfy({ (1...3).contains($0.count) }) else {
      return nil
    }
    return String(word)
  }
}
