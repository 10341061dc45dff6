/// Where and how mail is submitted.
public struct SMTPSettings: Sendable {
  /// How the connection is protected.
  public enum Security: String, CaseIterable, Sendable {
    /// Plain text.
    case none
    /// STARTTLS where the server offers it, else plain text: protects against listeners only.
    case opportunistic
    /// STARTTLS, and no mail where the server does not offer it.
    case startTLS
    /// TLS from the first byte (port 465).
    case implicitTLS
  }

  /// The server's name or address.
  public var host: String
  /// The server's port: 587 for submission, 465 with `implicitTLS`, 25 for a relay.
  public var port: Int
  /// How the connection is protected.
  public var security: Security
  /// The name to log in with; nil for a server that needs none.
  public var username: String?
  /// The password that goes with the name.
  public var password: String?
  /// A file with the certificates (PEM) to trust instead of the system's.
  public var certificateAuthorityFile: String?
  /// The name given in `EHLO`; nil for the host's own.
  public var clientName: String?
  /// How long a connection may take to come about, name resolution and TLS included.
  public var connectTimeout: Duration
  /// How long one mail may take, connection included.
  public var sendTimeout: Duration
  /// How many connections are used at most: as many mails are sent at once.
  public var connectionCount: Int

  /// Settings with the usual values: submission on port 587 with STARTTLS, 4 connections, time-outs of 10 s and 60 s.
  public init(
    host: String, port: Int = 587, security: Security = .startTLS, username: String? = nil,
    password: String? = nil, certificateAuthorityFile: String? = nil, clientName: String? = nil,
    connectTimeout: Duration = .seconds(10), sendTimeout: Duration = .seconds(60), connectionCount: Int = 4
  ) {
    self.host = host
    self.port = port
    self.security = security
    self.username = username
    self.password = password
    self.certificateAuthorityFile = certificateAuthorityFile
    self.clientName = clientName
    self.connectTimeout = connectTimeout
    self.sendTimeout = sendTimeout
    self.connectionCount = connectionCount
  }

  /// The server as libcurl is told, `smtp://host:port/clientName`.
  ///
  /// - Throws: `InvalidSMTPSettings` when host, port or client name cannot be part of an address.
  func url() throws(InvalidSMTPSettings) -> String {
    let isName: (String) -> Bool = { text in
      !text.isEmpty && text.utf8.allSatisfy { isLetterOrDigit($0) || "-._:".utf8.contains($0) }
    }
    guard isName(host) else {
      throw InvalidSMTPSettings("the SMTP host \(host.debugDescription) is neither a name nor an address")
    }
    guard (1...65_535).contains(port) else {
      throw InvalidSMTPSettings("the SMTP port \(port) is outside 1...65535")
    }
    if let clientName, !isName(clientName) {
      throw InvalidSMTPSettings("the SMTP client name \(clientName.debugDescription) is not a host name")
    }
    let scheme = security == .implicitTLS ? "smtps" : "smtp"
    let bracketed = host.contains(":") ? "[\(host)]" : host
    return "\(scheme)://\(bracketed):\(port)/\(clientName ?? "")"
  }
}

/// SMTP settings that cannot work, and why.
public struct InvalidSMTPSettings: Error, CustomStringConvertible {
  /// The sentence to show.
  public let description: String

  init(_ description: String) { self.description = description }
}
