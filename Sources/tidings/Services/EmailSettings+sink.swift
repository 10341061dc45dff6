import Delivery
import EmailSink
import Logging
import Settings

extension EmailSettings {
  /// The sink that the settings describe. Speaks to no server yet.
  ///
  /// - Parameters:
  ///   - engagement: told of what becomes of addresses.
  ///   - unsubscribeLinks: what mails carry; nil for none.
  /// - Throws: `CommandEnd` with the key that is wrong.
  func makeSink(
    engagement: any EngagementPublishing, unsubscribeLinks: UnsubscribeLinks?, logger: Logger
  ) throws -> EmailSink {
    let sender: EmailMailbox
    do {
      sender = try EmailMailbox(from)
    } catch {
      throw CommandEnd(.usage, "email.from: \(error)")
    }
    return try EmailSink(
      sender: sender, transport: try makeTransport(), engagement: engagement,
      unsubscribeLinks: unsubscribeLinks, logger: logger)
  }

  /// The links for unsubscribing; nil where the settings name no address for them.
  func makeUnsubscribeLinks() -> UnsubscribeLinks? {
    guard let url = unsubscribe.url, let secret = unsubscribe.secret,
      let key = UnsubscribeKey(secret: secret.reveal())
    else { return nil }
    return UnsubscribeLinks(base: url, key: key)
  }

  private func makeTransport() throws -> any MailTransport {
    switch transport {
    case .maildir:
      return try MaildirTransport(directory: maildirPath, threadCount: min(concurrency, 16))
    case .smtp:
      var server = SMTPSettings(host: smtp.host, port: smtp.port)
      server.security = smtp.tls.security
      server.username = smtp.username
      server.password = smtp.password?.reveal()
      server.sendTimeout = timeout
      server.connectTimeout = min(server.connectTimeout, timeout)
      server.connectionCount = concurrency
      do {
        return try SMTPTransport(server)
      } catch {
        throw CommandEnd(.usage, "email.smtp: \(error)")
      }
    }
  }
}

extension SMTPEncryption {
  fileprivate var security: SMTPSettings.Security {
    switch self {
    case .none: .none
    case .starttls: .opportunistic
    case .required: .startTLS
    case .implicit: .implicitTLS
    }
  }
}
