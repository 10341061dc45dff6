/// Submits mail to an SMTP server by libcurl: one blocking handle per thread, connections kept open between mails.
public struct SMTPTransport: MailTransport {
  private let threads: TransportThreads<SMTPConnection>

  /// Prepares the connections; the server is first spoken to at the first mail.
  ///
  /// - Throws: `InvalidSMTPSettings` when the settings cannot work whatever the server says.
  public init(_ settings: SMTPSettings) throws(InvalidSMTPSettings) {
    let url = try settings.url()
    guard (1...1000).contains(settings.connectionCount) else {
      throw InvalidSMTPSettings(
        "\(settings.connectionCount) SMTP connections: the number must be within 1...1000")
    }
    threads = TransportThreads(count: settings.connectionCount, name: "smtp") {
      SMTPConnection(settings, url: url)
    }
  }

  /// Sends one mail over one of the connections; waits while all are busy.
  public func send(_ mail: OutgoingMail) async -> MailTransportResult {
    let result = await threads.run { connection in connection.send(mail) }
    return result ?? .unavailable(reason: "the SMTP transport is being closed")
  }

  /// Says `QUIT` on all connections, after the mails in progress.
  public func shutdown() async { await threads.shutdown() }
}
