import Contract
import Delivery
import Foundation
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import Logging
import NIOPosix
import ServiceLifecycle
import Synchronization
import Testing

@testable import EmailSink

@Suite("Unsubscribing with one click")
struct UnsubscribeTests {
  private let links: UnsubscribeLinks
  private let token = UnsubscribeToken(
    delivery: "d1", tenant: "acme", recipient: "ada <ü>", category: "code & more")

  init() throws { links = UnsubscribeLinks(base: "https://mail.example.org/u/", key: try Self.key()) }

  private static func key(_ secret: String = "a secret of some length") throws -> UnsubscribeKey {
    try #require(UnsubscribeKey(secret: secret))
  }

  /// Keeps what it is told, or fails.
  private final class Memory: EngagementPublishing {
    struct Refusal: Error {}
    let reports = Mutex<[EngagementReport]>([])
    let isFailing: Bool

    init(isFailing: Bool = false) { self.isFailing = isFailing }

    func publish(_ report: EngagementReport) async throws {
      if isFailing { throw Refusal() }
      reports.withLock { $0.append(report) }
    }
  }

  private func application(_ memory: Memory) -> some ApplicationProtocol {
    let server = UnsubscribeServer(
      links: links, engagement: memory, host: "127.0.0.1", port: 0,
      logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
    return Application(router: server.router())
  }

  @Test("a connection that asks for nothing is closed", .timeLimit(.minutes(1)))
  func idle() async throws {
    let (ports, report) = AsyncStream.makeStream(of: Int.self)
    let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
    let server = UnsubscribeServer(
      links: links, engagement: Memory(), host: "127.0.0.1", port: 0, logger: logger,
      idleTimeout: .milliseconds(50), onListening: { report.yield($0) })
    let group = ServiceGroup(services: [server], logger: logger)
    try await withThrowingTaskGroup(of: Void.self) { tasks in
      tasks.addTask { try await group.run() }
      let port = try #require(await ports.first { _ in true })
      let connection = try await ClientBootstrap(group: .singletonMultiThreadedEventLoopGroup)
        .connect(host: "127.0.0.1", port: port).get()
      try await connection.closeFuture.get()
      await group.triggerGracefulShutdown()
      try await tasks.waitForAll()
    }
  }

  @Test("the signature is HMAC-SHA-256: the second case of RFC 4231")
  func vector() throws {
    // Its key is shorter than a secret may be; the block is filled with zeros (RFC 2104 §2).
    let key = try Self.key("Jefe" + String(repeating: "\0", count: 12))
    let signature = key.signature(of: Array("what do ya want for nothing?".utf8))
    #expect(
      signature.map { String(format: "%02x", $0) }.joined()
        == "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843")
    #expect(UnsubscribeKey(secret: "Jefe") == nil)
  }

  @Test("a token is read with its key only, and with no character changed, added or left out")
  func tampering() throws {
    let key = try Self.key()
    let text = token.text(key: key)
    #expect(UnsubscribeToken(text, key: key) == token)
    #expect(UnsubscribeToken(text, key: try Self.key("another one of some length")) == nil)
    for index in text.indices {
      var changed = text
      let character: Character = text[index] == "A" ? "B" : "A"
      changed.replaceSubrange(index...index, with: String(character))
      // The last character may have bits that no byte takes.
      if UnsubscribeToken(changed, key: key) == token { continue }
      #expect(UnsubscribeToken(changed, key: key) == nil, "\(changed)")
    }
    for wrong in ["", "A", "AAAA", text + "AAAA", String(text.dropLast(4)), "\(text)=", "ü", "a.b"] {
      #expect(UnsubscribeToken(wrong, key: key) == nil, "\(wrong)")
    }
    #expect(UnsubscribeToken(String(repeating: "A", count: 9000), key: key) == nil)
  }

  @Test("a mail carries the link in both headers and both bodies, the same on every attempt")
  func headers() async throws {
    let directory = try TemporaryDirectory()
    let sink = try EmailSink(
      sender: EmailMailbox("tidings@example.org"),
      transport: MaildirTransport(directory: directory.path, flushesToDisk: false), unsubscribeLinks: links,
      logger: Logger(label: "test"))
    let delivery = try DeliverySamples.delivery()
    let id = try Samples.deliveryID(delivery.id)
    let message = sink.message(delivery, id: id, to: try EmailAddress("u1@example.org"))
    #expect(message.serialized() == sink.message(delivery, id: id, to: message.to).serialized())
    await sink.close()
    let link = try #require(message.unsubscribeLink)
    #expect(link.hasPrefix("https://mail.example.org/u/"))
    let last = try #require(link.split(separator: "/").last)
    let token = UnsubscribeToken(last, key: links.key)
    #expect(
      token
        == UnsubscribeToken(delivery: delivery.id, tenant: "default", recipient: "u1", category: "code"))
    let text = String(decoding: message.serialized(), as: UTF8.self)
    let lines = text.replacing("\r\n ", with: " ").components(separatedBy: "\r\n")
    #expect(lines.contains("List-Unsubscribe: <\(link)>"))
    #expect(lines.contains("List-Unsubscribe-Post: List-Unsubscribe=One-Click"))
    #expect(message.text.contains("\nUnsubscribe: \(link)\n"))
    #expect(message.html.contains("<a href=\"\(link)\""))
  }

  @Test("a link that no header could hold is left out")
  func tooLong() throws {
    let long = String(repeating: "x", count: 700)
    #expect(links.link(for: try DeliverySamples.delivery(data: ["category": long])) == nil)
    // Nor where it would end one of several categories.
    let several: [String: Any?] = ["kind": "digest", "severalCategories": true]
    #expect(links.link(for: try DeliverySamples.delivery(data: several)) == nil)
    #expect(try Samples.message().serialized().count > 0)
    let plain = String(decoding: try Samples.message().serialized(), as: UTF8.self)
    #expect(!plain.contains("List-Unsubscribe"))
  }

  @Test("a mail program's POST unsubscribes from the category of the mail, however often it comes")
  func post() async throws {
    let memory = Memory()
    let path = "/u/\(token.text(key: links.key))"
    try await application(memory).test(.router) { client in
      let form: HTTPFields = [.contentType: "application/x-www-form-urlencoded"]
      let parts: HTTPFields = [.contentType: "multipart/form-data; boundary=b"]
      for (headers, body) in [
        (form, "List-Unsubscribe=One-Click"),
        (
          parts,
          "--b\r\nContent-Disposition: form-data; name=\"List-Unsubscribe\"\r\n\r\nOne-Click\r\n--b--\r\n"
        ),
      ] {
        let response = try await client.execute(
          uri: path, method: .post, headers: headers, body: ByteBuffer(string: body))
        #expect(response.status == .ok)
        #expect(String(buffer: response.body).contains("No more mail about code &amp; more"))
      }
    }
    let reports = memory.reports.withLock { $0 }
    #expect(reports.count == 2 && Set(reports.map(\.id)) == ["d1-unsubscribed"])
    let report = try #require(reports.first)
    #expect(report.kind == .unsubscribed && report.channel == .email && report.category == "code & more")
    #expect(report.tenant == "acme" && report.recipient == "ada <ü>")
  }

  @Test("a program that follows links unsubscribes nobody; the page has the button that does")
  func get() async throws {
    let memory = Memory()
    try await application(memory).test(.router) { client in
      let response = try await client.execute(uri: "/u/\(token.text(key: links.key))", method: .get)
      let page = String(buffer: response.body)
      #expect(response.status == .ok && response.headers[.cacheControl] == "no-store")
      #expect(page.contains("name=\"List-Unsubscribe\" value=\"One-Click\""))
      #expect(page.contains("Unsubscribe ada &lt;ü&gt;"))
    }
    #expect(memory.reports.withLock { $0 }.isEmpty)
  }

  @Test("what a link says is text on its page, also where a mark joins an angle bracket to what is before it")
  func escaping() async throws {
    let token = UnsubscribeToken(
      delivery: "d1", tenant: "acme", recipient: "ada", category: "\u{600}<meta http-equiv=refresh>")
    try await application(Memory()).test(.router) { client in
      let response = try await client.execute(uri: "/u/\(token.text(key: links.key))", method: .get)
      let page = String(buffer: response.body)
      #expect(response.status == .ok)
      // By bytes: a character may hold the bracket and the mark before it.
      #expect(Data(page.utf8).range(of: Data("<meta http-equiv=refresh>".utf8)) == nil)
      #expect(page.contains("&lt;meta http-equiv=refresh&gt;"))
    }
  }

  @Test("a link of nobody's, a body that does not say so, or one that is too large changes nothing")
  func refused() async throws {
    let memory = Memory()
    let path = "/\(token.text(key: links.key))"
    try await application(memory).test(.router) { client in
      for (uri, body, status) in [
        ("/u/AAAA", "List-Unsubscribe=One-Click", HTTPResponse.Status.notFound),
        ("/", "List-Unsubscribe=One-Click", .notFound), (path, "", .badRequest),
        (path, String(repeating: "x", count: 5000), .contentTooLarge),
      ] {
        let response = try await client.execute(uri: uri, method: .post, body: ByteBuffer(string: body))
        #expect(response.status == status, "\(uri): \(response.status)")
      }
    }
    #expect(memory.reports.withLock { $0 }.isEmpty)
  }

  @Test("what the topic does not take is not confirmed")
  func outage() async throws {
    try await application(Memory(isFailing: true)).test(.router) { client in
      let response = try await client.execute(
        uri: "/\(token.text(key: links.key))", method: .post,
        body: ByteBuffer(string: "List-Unsubscribe=One-Click"))
      #expect(response.status == .serviceUnavailable)
    }
  }
}
