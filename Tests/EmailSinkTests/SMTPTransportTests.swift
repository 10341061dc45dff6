import CCurl
import Foundation
import Testing

@testable import EmailSink

@Suite(
  "SMTP against aiosmtpd",
  .enabled(if: SMTPServerProcess.isAvailable, "needs Debian's python3-aiosmtpd"))
struct SMTPTransportTests {
  private func withTransport(
    _ server: SMTPServerProcess, _ change: (inout SMTPSettings) -> Void = { _ in },
    _ body: (SMTPTransport) async throws -> Void
  ) async throws {
    var settings = SMTPSettings(
      host: "127.0.0.1", port: server.port, security: .none, connectTimeout: .seconds(5),
      sendTimeout: .seconds(20),
      connectionCount: 1)
    change(&settings)
    let transport = try SMTPTransport(settings)
    try await body(transport)
    await transport.shutdown()
  }

  private func mail(_ id: String, to: String, text: String = "text\n") throws -> OutgoingMail {
    OutgoingMail(try Samples.message(id: id, to: to, text: text))
  }

  @Test("mails arrive unchanged, over one connection, with the server's words as detail")
  func delivered() async throws {
    let server = try await SMTPServerProcess()
    let text = ".\n..\nFrom here\n.hidden dot\n" + String(repeating: "ä", count: 5000) + "\n"
    let mails = try (1...3).map { try mail("d\($0)", to: "user\($0)@example.org", text: text) }
    try await withTransport(server) { transport in
      for mail in mails {
        guard case .sent(let detail) = await transport.send(mail) else {
          Issue.record("not sent")
          return
        }
        #expect(detail.contains("250 2.0.0 queued as"))
      }
    }
    let received = try server.messages()
    #expect(received.map(\.content) == mails.map { Data($0.content) })
    #expect(received.map(\.to) == mails.map { [$0.recipient.description] })
    #expect(Set(received.map(\.peer)).count == 1)
  }

  @Test("as many connections as configured send at once")
  func parallel() async throws {
    let server = try await SMTPServerProcess()
    try await withTransport(server, { $0.connectionCount = 4 }) { transport in
      await withTaskGroup(of: MailTransportResult?.self) { group in
        for index in 0..<40 {
          group.addTask { [self] in
            guard let mail = try? mail("d\(index)", to: "user\(index)@example.org") else { return nil }
            return await transport.send(mail)
          }
        }
        for await result in group {
          guard case .sent = result else {
            Issue.record("not sent: \(String(describing: result))")
            continue
          }
        }
      }
    }
    let received = try server.messages()
    #expect(Set(received.flatMap(\.to)).count == 40)
    #expect((2...4).contains(Set(received.map(\.peer)).count))
  }

  @Test("a 4xx is transient, a 5xx permanent, each with the server's words, and the next mail passes")
  func refusals() async throws {
    let server = try await SMTPServerProcess()
    try await withTransport(server) { transport in
      #expect(
        await transport.send(try mail("d1", to: "busy@example.org"))
          == .transient(reason: "refused for now by the SMTP server after RCPT: 451 4.3.2 try again later"))
      #expect(
        await transport.send(try mail("d2", to: "unknown@example.org"))
          == .addressRefused(reason: "the SMTP server refuses the address: 550 5.1.1 no such user here"))
      #expect(
        await transport.send(try mail("d6", to: "full@example.org"))
          == .permanent(reason: "refused by the SMTP server after RCPT: 550 5.2.2 mailbox full"))
      #expect(
        await transport.send(try mail("d3", to: "refused-data@example.org"))
          == .permanent(reason: "refused by the SMTP server after content: 554 5.6.0 content refused"))
      guard case .unavailable(let reason) = await transport.send(try mail("d4", to: "closing@example.org"))
      else {
        Issue.record("421 is not unavailable")
        return
      }
      #expect(reason.contains("421 4.3.2 shutting down"))
      guard case .sent = await transport.send(try mail("d5", to: "user@example.org")) else {
        Issue.record("the mail after the refusals was not sent")
        return
      }
    }
    #expect(try server.messages().count == 1)
  }

  @Test(
    "only what says that the address is wrong for good is a refusal of the address",
    arguments: [
      (550, "550 5.1.1 no such user", true), (551, "551 5.1.6 moved", true),
      (550, "550 sorry, no mailbox here by that name (#5.1.1)", true),
      (550, "550 #5.1.0 Address rejected.", true),
      (554, "554 5.1.10 takes no mail", true), (556, "556 null MX", true),
      (550, "550-5.2.1 disabled 550 5.2.1 for good", true),
      (550, "550 5.7.1 you are on a list", false), (550, "550 5.2.2 mailbox full", false),
      (552, "552 mailbox full", false), (554, "554 transaction failed", false),
      (554, "554 5.7.1 relay access denied", false), (450, "450 4.1.1 try later", false),
      // A relay that does not send for us says so with the codes of an address that is wrong.
      (550, "550 relay not permitted", false), (550, "550 no such user", false),
      (553, "553 sorry, that domain isn't in my list of allowed rcpthosts (#5.7.1)", false),
      (551, "551 user not local", false), (550, "550 5.1 of our rules says no, as #5 does", false),
    ])
  func refusedAddress(code: Int, reply: String, isRefused: Bool) {
    let result = SMTPVerdict.failure(
      stage: .envelope, verb: "RCPT", replyCode: code, replyText: reply, error: "")
    let isAddress = if case .addressRefused = result { true } else { false }
    #expect(isAddress == isRefused, "\(result)")
    let later = SMTPVerdict.failure(
      stage: .content, verb: "content", replyCode: code, replyText: reply, error: "")
    if case .addressRefused = later { Issue.record("the refusal of a mail's content is none of its address") }
  }

  @Test("a server that hangs up makes the mail transient", arguments: ["hangup", "hangup-data"])
  func hangUp(_ name: String) async throws {
    let server = try await SMTPServerProcess()
    try await withTransport(server) { transport in
      guard case .transient(let reason) = await transport.send(try mail("d1", to: "\(name)@example.org"))
      else {
        Issue.record("not transient")
        return
      }
      #expect(reason.contains(name == "hangup" ? "after RCPT" : "after content"))
    }
  }

  @Test("a connection that the server ended while idle costs no mail")
  func idleEnd() async throws {
    let server = try await SMTPServerProcess()
    try await withTransport(server) { transport in
      for index in 1...5 {
        let result = await transport.send(try mail("d\(index)", to: "idle@example.org"))
        guard case .sent = result else {
          Issue.record("mail \(index): \(result)")
          return
        }
      }
    }
    let received = try server.messages()
    #expect(received.count == 5)
    #expect(Set(received.map(\.peer)).count == 5)
  }

  @Test("no server: unavailable, with its address")
  func noServer() async throws {
    let server = try await SMTPServerProcess()
    let port = server.port
    server.stop()
    try await withTransport(server) { transport in
      guard case .unavailable(let reason) = await transport.send(try mail("d1", to: "user@example.org"))
      else {
        Issue.record("not unavailable")
        return
      }
      #expect(reason.contains("127.0.0.1") && reason.contains("\(port)"), "\(reason)")
    }
  }

  @Test("credentials log in, wrong ones make the transport unavailable and appear in no reason")
  func login() async throws {
    let server = try await SMTPServerProcess(.init(requiresLogin: true))
    let login: (String) -> (inout SMTPSettings) -> Void = { password in
      { settings in
        settings.username = "tidings"
        settings.password = password
      }
    }
    try await withTransport(server, login("s3cret")) { transport in
      guard case .sent = await transport.send(try mail("d1", to: "user@example.org")) else {
        Issue.record("not sent")
        return
      }
    }
    #expect(try server.messages().first?.user == "tidings")
    try await withTransport(server, login("wr0ng")) { transport in
      guard case .unavailable(let reason) = await transport.send(try mail("d2", to: "user@example.org"))
      else {
        Issue.record("not unavailable")
        return
      }
      #expect(reason.contains("535") && !reason.contains("wr0ng"), "\(reason)")
    }
    try await withTransport(server) { transport in
      guard case .unavailable(let reason) = await transport.send(try mail("d3", to: "user@example.org"))
      else {
        Issue.record("not unavailable")
        return
      }
      #expect(reason.contains("530"), "\(reason)")
    }
  }

  @Test("STARTTLS encrypts and logs in; a certificate that nobody vouches for is refused")
  func startTLS() async throws {
    let server = try await SMTPServerProcess(.init(requiresLogin: true, offersTLS: true, requiresTLS: true))
    let secure: (inout SMTPSettings) -> Void = { settings in
      settings.security = .startTLS
      settings.username = "tidings"
      settings.password = "s3cret"
      settings.certificateAuthorityFile = server.certificate
    }
    try await withTransport(server, secure) { transport in
      let result = await transport.send(try mail("d1", to: "user@example.org"))
      guard case .sent = result else {
        Issue.record("\(result)")
        return
      }
    }
    let message = try #require(try server.messages().first)
    #expect(message.isEncrypted && message.user == "tidings")
    try await withTransport(
      server,
      { settings in
        secure(&settings)
        settings.certificateAuthorityFile = nil
      }
    ) { transport in
      guard case .unavailable = await transport.send(try mail("d2", to: "user@example.org")) else {
        Issue.record("an unknown certificate was accepted")
        return
      }
    }
    #expect(try server.messages().count == 1)
  }

  @Test("a server without STARTTLS gets no mail when it is asked for, and a plain one when it is optional")
  func noTLS() async throws {
    let server = try await SMTPServerProcess()
    try await withTransport(server, { $0.security = .startTLS }) { transport in
      guard case .unavailable = await transport.send(try mail("d1", to: "user@example.org")) else {
        Issue.record("mail was sent in plain text")
        return
      }
    }
    #expect(try server.messages().isEmpty)
    try await withTransport(server, { $0.security = .opportunistic }) { transport in
      guard case .sent = await transport.send(try mail("d2", to: "user@example.org")) else {
        Issue.record("not sent")
        return
      }
    }
  }
}

@Suite("SMTP settings and verdicts")
struct SMTPVerdictTests {
  @Test("settings that cannot be an address are refused")
  func settings() {
    for host in ["", "a b", "a/b", "user@host", "a\r\n", "exämple"] {
      #expect(throws: InvalidSMTPSettings.self) { try SMTPTransport(SMTPSettings(host: host)) }
    }
    #expect(throws: InvalidSMTPSettings.self) { try SMTPTransport(SMTPSettings(host: "h", port: 0)) }
    #expect(throws: InvalidSMTPSettings.self) {
      try SMTPTransport(SMTPSettings(host: "h", clientName: "a b"))
    }
    #expect(throws: InvalidSMTPSettings.self) {
      try SMTPTransport(SMTPSettings(host: "h", connectionCount: 0))
    }
    #expect((try? SMTPSettings(host: "::1", security: .implicitTLS).url()) == "smtps://[::1]:587/")
  }

  @Test("no reply is waited for less long than the whole mail may take")
  func timeouts() {
    var settings = SMTPSettings(host: "h", connectTimeout: .seconds(10), sendTimeout: .seconds(600))
    let options = { Dictionary(SMTPConnection.timeouts(settings)) { first, _ in first } }
    #expect(options()[CURLOPT_TIMEOUT_MS] == 600_000)
    #expect(options()[CURLOPT_SERVER_RESPONSE_TIMEOUT] == 600)
    #expect(options()[CURLOPT_CONNECTTIMEOUT_MS] == 10_000)
    settings.sendTimeout = .milliseconds(1_200)
    #expect(options()[CURLOPT_TIMEOUT_MS] == 1_200 && options()[CURLOPT_SERVER_RESPONSE_TIMEOUT] == 2)
  }

  @Test("a refusal before any mail is concerned is never held against the mail")
  func session() {
    for code in [nil, 421, 454, 504, 535, 554] {
      let verdict = SMTPVerdict.failure(
        stage: .session, verb: "AUTH", replyCode: code, replyText: "", error: "login denied")
      guard case .unavailable = verdict else {
        Issue.record("\(String(describing: code)): \(verdict)")
        continue
      }
    }
  }

  @Test("what is refused for now before a recipient is named is never held against the mail")
  func sender() {
    for (code, reply) in [(450, "450 4.7.1 too fast"), (452, "452 4.3.1 insufficient system storage")] {
      let verdict = SMTPVerdict.failure(
        stage: .envelope, verb: "MAIL", replyCode: code, replyText: reply, error: "")
      guard case .unavailable(let reason) = verdict else {
        Issue.record("\(verdict)")
        continue
      }
      #expect(reason.contains(reply))
    }
  }

  @Test("the arguments of a command, which may be secrets, are not kept")
  func secrets() {
    let exchange = SMTPExchange()
    Array("AUTH PLAIN AHRpZGluZ3MAczNjcmV0\r\n".utf8).withUnsafeBytes { exchange.sent(command: $0) }
    #expect(exchange.lastVerb == "AUTH" && exchange.stage == .session)
    // Second step of AUTH LOGIN: a bare base64 line.
    Array("czNjcmV0cGFzc3dvcmQ=\r\n".utf8).withUnsafeBytes { exchange.sent(command: $0) }
    #expect(exchange.lastVerb == "AUTH")
  }
}
