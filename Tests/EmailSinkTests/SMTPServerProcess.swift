import Foundation

/// An SMTP server (Python's aiosmtpd) in a process of its own, on a free port of the loopback.
///
/// What it answers depends on the recipient's local part: `busy` 451, `unknown` and `full` 550, `closing` 421, `hangup` ends the
/// connection, `hangup-data` ends it after the mail, `refused-data` 554 after the mail, `idle` accepts and ends the
/// connection right after its reply. Everything else is accepted and lies in `messages()`.
final class SMTPServerProcess {
  /// Settings of the server.
  struct Options: Encodable {
    var requiresLogin = false
    var offersTLS = false
    var requiresTLS = false
  }

  /// A mail that was accepted.
  struct Message: Decodable {
    let from: String
    let to: [String]
    let content: Data
    /// Tells connections apart.
    let peer: Int
    let isEncrypted: Bool
    let user: String?
  }

  static let interpreter = PythonProcess.interpreter(with: "aiosmtpd")
  static let isAvailable = interpreter != nil

  let port: Int
  /// The server's self-signed certificate; nil without TLS.
  let certificate: String?
  private let directory: TemporaryDirectory
  private let process: Process
  private let ended = DispatchSemaphore(value: 0)

  init(_ options: Options = Options()) async throws {
    guard let python = Self.interpreter else { throw StartFailure(output: "no Python with aiosmtpd") }
    directory = try TemporaryDirectory()
    certificate = options.offersTLS ? "\(directory.path)/certificate.pem" : nil
    if options.offersTLS { try Self.makeCertificate(in: directory.path) }
    process = Process()
    process.terminationHandler = { [ended] _ in ended.signal() }
    process.executableURL = URL(fileURLWithPath: python)
    let encoded = String(decoding: try JSONEncoder().encode(options), as: UTF8.self)
    process.arguments = ["-c", serverProgram, directory.path, encoded]
    let log = "\(directory.path)/log"
    _ = FileManager.default.createFile(atPath: log, contents: nil)
    process.standardError = FileHandle(forWritingAtPath: log)
    // The server ends with its standard input, hence with this process.
    process.standardInput = Pipe()
    try process.run()
    let deadline = ContinuousClock.now + .seconds(20)
    while true {
      if let text = try? String(contentsOfFile: "\(directory.path)/port", encoding: .utf8),
        let port = Int(text)
      {
        self.port = port
        return
      }
      guard process.isRunning, ContinuousClock.now < deadline else {
        throw StartFailure(output: (try? String(contentsOfFile: log, encoding: .utf8)) ?? "")
      }
      try await Task.sleep(for: .milliseconds(20))
    }
  }

  deinit { end() }

  /// A child of a dispatch thread is born with SIGTERM blocked, hence SIGKILL.
  private func end() {
    if process.isRunning { kill(process.processIdentifier, SIGKILL) }
  }

  /// Ends the server at once and waits until its port is free.
  func stop() {
    end()
    ended.wait()
  }

  /// The mails accepted so far, in order.
  func messages() throws -> [Message] {
    let decoder = JSONDecoder()
    decoder.keyDecodingStrategy = .convertFromSnakeCase
    return try directory.names(in: "mail").filter { $0.hasSuffix(".json") }.map { name in
      try decoder.decode(
        Message.self, from: Data(contentsOf: URL(fileURLWithPath: "\(directory.path)/mail/\(name)")))
    }
  }

  struct StartFailure: Error { let output: String }

  private static func makeCertificate(in directory: String) throws {
    let outcome = try PythonProcess.run(
      "/usr/bin/openssl",
      [
        "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost", "-addext",
        "subjectAltName=DNS:localhost,IP:127.0.0.1", "-keyout", "\(directory)/key.pem", "-out",
        "\(directory)/certificate.pem",
      ])
    guard outcome.status == 0 else { throw StartFailure(output: outcome.output) }
  }
}

private let serverProgram = """
  import asyncio, base64, json, os, ssl, sys, threading
  from aiosmtpd.smtp import SMTP, AuthResult

  directory, options = sys.argv[1], json.loads(sys.argv[2])
  os.mkdir(directory + '/mail')
  count = 0

  class Handler:
    async def handle_RCPT(self, server, session, envelope, address, rcpt_options):
      name = address.split('@')[0]
      replies = {'busy': '451 4.3.2 try again later', 'unknown': '550 5.1.1 no such user here', 'full': '550 5.2.2 mailbox full',
        'closing': '421 4.3.2 shutting down'}
      if name in replies:
        return replies[name]
      if name == 'hangup':
        server.transport.abort()
      envelope.rcpt_tos.append(address)
      return '250 OK'

    async def handle_DATA(self, server, session, envelope):
      global count
      name = envelope.rcpt_tos[0].split('@')[0]
      if name == 'refused-data':
        return '554 5.6.0 content refused'
      if name == 'hangup-data':
        server.transport.abort()
        return '250 OK'
      count += 1
      record = {'from': envelope.mail_from, 'to': envelope.rcpt_tos,
        'content': base64.b64encode(envelope.original_content).decode(), 'peer': session.peer[1],
        'is_encrypted': session.ssl is not None,
        'user': session.auth_data.login.decode() if getattr(session, 'auth_data', None) else None}
      path = directory + '/mail/%06d' % count
      with open(path, 'w') as file:
        json.dump(record, file)
      os.rename(path, path + '.json')
      if name == 'idle':
        asyncio.get_running_loop().call_soon(server.transport.close)
      return '250 2.0.0 queued as %d' % count

  def authenticate(server, session, envelope, mechanism, data):
    if (data.login, data.password) == (b'tidings', b's3cret'):
      return AuthResult(success=True, auth_data=data)
    return AuthResult(success=False, handled=False)

  def make_server():
    tls = None
    if options['offersTLS']:
      tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
      tls.load_cert_chain(directory + '/certificate.pem', directory + '/key.pem')
    return SMTP(Handler(), hostname='localhost', tls_context=tls, require_starttls=options['requiresTLS'],
      authenticator=authenticate, auth_required=options['requiresLogin'], auth_require_tls=options['offersTLS'])

  async def serve():
    loop = asyncio.get_running_loop()
    server = await loop.create_server(make_server, '127.0.0.1', 0)
    with open(directory + '/port.tmp', 'w') as file:
      file.write(str(server.sockets[0].getsockname()[1]))
    os.rename(directory + '/port.tmp', directory + '/port')
    await server.serve_forever()

  def end_with_input():
    sys.stdin.read()
    os._exit(0)

  threading.Thread(target=end_with_input, daemon=True).start()
  asyncio.run(serve())
  """
