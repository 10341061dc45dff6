import Foundation

/// What was said in one SMTP transaction: the mail that goes out, the last command and the replies to it.
///
/// libcurl's callbacks write it; it belongs to the thread of its connection.
final class SMTPExchange {
  /// How far the conversation has come; decides what a failure means.
  enum Stage: Equatable {
    /// Connection, greeting, TLS, login: no mail is concerned yet.
    case session
    /// `MAIL`, `RCPT` or `DATA` was sent: a refusal concerns this mail.
    case envelope
    /// The mail itself is on its way or complete.
    case content
  }

  private(set) var stage = Stage.session
  private static let verbs: [String: (name: String, stage: Stage)] = [
    "EHLO": ("EHLO", .session), "HELO": ("HELO", .session), "STARTTLS": ("STARTTLS", .session),
    "AUTH": ("AUTH", .session), "MAIL": ("MAIL", .envelope), "RCPT": ("RCPT", .envelope),
    "DATA": ("DATA", .envelope),
  ]

  /// The verb of the last command, such as `RCPT`. Its arguments are not kept: after `AUTH` they are secrets.
  private(set) var lastVerb = ""
  /// The reply to the last command: its lines without line ends, at most 20.
  private(set) var replyLines: [String] = []

  private var content: [UInt8] = []
  private var position = 0
  private var isLeaving = false

  /// Starts over with another mail.
  func begin(content: [UInt8]) {
    self.content = content
    position = 0
    isLeaving = false
    stage = .session
    lastVerb = ""
    replyLines = []
  }

  /// Starts over with the same mail.
  func restart() { begin(content: content) }

  /// The reply's code, such as 550; nil while there is none.
  var replyCode: Int? {
    guard let line = replyLines.last, line.utf8.count >= 3 else { return nil }
    return Int(line.prefix(3))
  }

  /// The reply in one line: without control characters, at most 500 characters.
  var replyText: String {
    String(HeaderWriter.singleLine(replyLines.joined(separator: " ")).prefix(500))
  }

  /// Notes a command that goes out.
  func sent(command: UnsafeRawBufferPointer) {
    let verb = String(decoding: command.prefix(8).prefix { isLetterOrDigit($0) }, as: UTF8.self).uppercased()
    // libcurl takes its leave after a refusal; the refusal is what counts.
    isLeaving = isLeaving || verb == "QUIT"
    guard !isLeaving else { return }
    replyLines = []
    // A line without a verb is the next step of an AUTH, and a secret.
    guard let known = Self.verbs[verb] else { return }
    lastVerb = known.name
    stage = known.stage
  }

  /// Notes a line of a reply.
  func received(line: UnsafeRawBufferPointer) {
    guard !isLeaving, replyLines.count < 20 else { return }
    let text = String(decoding: line.prefix(1000), as: UTF8.self)
    replyLines.append(text.trimmingCharacters(in: .whitespacesAndNewlines))
  }

  /// Copies the next part of the mail into libcurl's buffer; 0 at its end.
  func read(into buffer: UnsafeMutableRawBufferPointer) -> Int {
    if stage != .content {
      stage = .content
      lastVerb = "content"
      replyLines = []
    }
    let count = min(buffer.count, content.count - position)
    content.withUnsafeBytes {
      buffer.copyMemory(from: UnsafeRawBufferPointer(rebasing: $0[position..<position + count]))
    }
    position += count
    return count
  }
}
