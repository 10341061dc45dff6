/// How mail leaves.
public enum EmailTransport: String, CaseIterable, Sendable {
  /// To a mail server.
  case smtp
  /// Into a folder of files (maildir(5)), for demonstrations and tests.
  case maildir
}

/// How the connection to the mail server is encrypted.
public enum SMTPEncryption: String, CaseIterable, Sendable {
  /// Not at all.
  case none
  /// By STARTTLS (RFC 3207) where the server offers it.
  case starttls
  /// By STARTTLS, or nothing is sent.
  case required
  /// From the first byte (RFC 8314, usually port 465).
  case implicit
}

/// The email sink: the section `email`.
public struct EmailSettings: Equatable, Sendable {
  /// The mail server.
  public struct SMTP: Equatable, Sendable {
    /// The name or address of the server.
    public var host: String
    /// Its port.
    public var port: Int
    /// How the connection is encrypted.
    public var tls: SMTPEncryption
    /// The user to authenticate as; nil for no authentication.
    public var username: String?
    /// The user's password.
    public var password: Secret?
  }

  /// How recipients unsubscribe.
  public struct Unsubscribe: Equatable, Sendable {
    /// The `https` address below which the links are; nil for no links.
    public var url: String?
    /// What the links are signed with.
    public var secret: Secret?
    /// The address that the sink serves the links at.
    public var host: String
    /// The port that it serves them at.
    public var port: Int
  }

  /// How mail leaves.
  public var transport: EmailTransport
  /// The sender's address.
  public var from: String
  /// The mail server, for the transport `smtp`.
  public var smtp: SMTP
  /// The folder, for the transport `maildir`.
  public var maildirPath: String
  /// The most mails that are under way at once.
  public var concurrency: Int
  /// The longest time for one mail.
  public var timeout: Duration
  /// How recipients unsubscribe.
  public var unsubscribe: Unsubscribe

  static let transport = SettingKey<EmailTransport>(
    "email", "transport", default: .smtp, .choice,
    "How mail leaves: to a mail server, or into a Maildir folder for demonstrations and tests.")
  static let from = SettingKey(
    "email", "from", default: "tidings@localhost",
    .text("mail address", requirement: "without a name: `name@domain`") { text in
      let parts = text.split(separator: "@", omittingEmptySubsequences: false)
      return parts.count == 2 && parts.allSatisfy { !$0.isEmpty }
        && !text.contains { $0.isWhitespace || "<>,;\"".contains($0) }
    },
    "The sender's address.")
  static let concurrency = SettingKey(
    "email", "concurrency", default: 8, .integer(1...256), "The most mails that are under way at once.")
  static let timeout = SettingKey(
    "email", "timeout", default: .seconds(600), .duration(.seconds(1)...Duration.seconds(600)),
    """
    The longest time for one mail, from connecting to the server's last reply. A server that has the mail and does not \
    answer in time gets it again, so that the default is what RFC 5321 §4.5.3.2.6 gives it.
    """)
  static let host = SettingKey(
    "email", "smtp", "host", default: "localhost", .host, "The mail server.")
  static let port = SettingKey(
    "email", "smtp", "port", default: 25, .integer(1...65_535), "The port of the mail server.")
  static let tls = SettingKey<SMTPEncryption>(
    "email", "smtp", "tls", default: .starttls, .choice,
    """
    How the connection is encrypted: `none`; `starttls`, where the server offers it; `required`, by STARTTLS or \
    nothing is sent; `implicit`, from the first byte (usually port 465).
    """)
  static let username = SettingKey(
    optional: "email", "smtp", "username", format: .text("text"),
    "The user to authenticate as. Not set: no authentication.")
  static let password = SettingKey(
    optional: "email", "smtp", "password", format: .secret,
    "The user's password. Give it by the environment rather than in the file.")
  static let maildirPath = SettingKey(
    "email", "maildir", "path", default: "mail", .text("path of a folder"),
    "The folder that mail is put into, for `transport: maildir`.")
  static let unsubscribeURL = SettingKey(
    optional: "email", "unsubscribe", "url",
    format: .text("address", requirement: "beginning with `https://`, of at most 200 bytes") { text in
      text.hasPrefix("https://") && (9...200).contains(text.utf8.count)
        && text.utf8.allSatisfy { (0x21...0x7e).contains($0) && !"<>\"?#".utf8.contains($0) }
    },
    """
    The address below which the links are by which recipients unsubscribe with one click (RFC 8058), such as \
    `https://mail.example.org/unsubscribe`. It has to lead, through a proxy with TLS, to the sink's port for unsubscribing. \
    Not set: mails have no such link.
    """)
  static let unsubscribeSecret = SettingKey(
    optional: "email", "unsubscribe", "secret", format: .secret,
    """
    What the links are signed with: at least 16 bytes, the same in all email sinks. Another one makes the links in mails \
    that were sent invalid. Give it by the environment rather than in the file.
    """)
  static let unsubscribeHost = SettingKey(
    "email", "unsubscribe", "host", default: "127.0.0.1", .host,
    "The address that the sink serves the links at, by plain HTTP.")
  static let unsubscribePort = SettingKey(
    "email", "unsubscribe", "port", default: 8_090, .integer(0...65_535),
    "The port that the sink serves the links at; 0 takes any free one.")
}
