import Foundation
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import Logging
import NIOCore
import NIOPosix
import ServiceLifecycle
import Synchronization
import Testing

@testable import Inbox

@Suite("The inbox over HTTP")
struct InboxServerTests {
  private let directory: TemporaryDirectory
  private let store: InboxStore
  private let signals = InboxSignals()

  init() throws {
    directory = try TemporaryDirectory()
    store = try InboxStore(path: directory.database)
  }

  private func application(publish: InboxPublish? = nil) -> some ApplicationProtocol {
    let routes = InboxRoutes(
      store: store, signals: signals, publish: publish,
      logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
    return Application(router: routes.router())
  }

  private func json(_ response: TestResponse) throws -> [String: Any] {
    let object = try JSONSerialization.jsonObject(with: Data(response.body.readableBytesView))
    return try #require(object as? [String: Any])
  }

  @Test("the list has what the store has, with the counters and the next page")
  func list() async throws {
    _ = try store.apply(Fixture.batch(0..<3))
    try await application().test(.router) { client in
      let uri = "/api/v1/recipients/ada/notifications?limit=2"
      let page = try json(try await client.execute(uri: uri, method: .get))
      let notifications = try #require(page["notifications"] as? [[String: Any]])
      #expect(notifications.map { $0["title"] as? String } == ["Title 2", "Title 1"])
      #expect(page["unread"] as? Int == 3)
      #expect(page["seq"] as? Int == 3)
      #expect(page["next"] as? Int == 2)
      let last = try json(try await client.execute(uri: uri + "&before=2", method: .get))
      #expect(last["next"] is NSNull)
      #expect((last["notifications"] as? [[String: Any]])?.first?["read"] is NSNull)
    }
  }

  @Test("marking over HTTP is seen in the count, and again has no effect")
  func mark() async throws {
    _ = try store.apply(Fixture.batch(0..<3))
    try await application().test(.router) { client in
      let one = "/api/v1/recipients/ada/notifications/\(Fixture.id(1))/read"
      #expect(try json(try await client.execute(uri: one, method: .post))["unread"] as? Int == 2)
      #expect(try json(try await client.execute(uri: one, method: .post))["marked"] as? Int == 0)
      let all = "/api/v1/recipients/ada/read-all"
      #expect(try json(try await client.execute(uri: all, method: .post))["marked"] as? Int == 2)
      let count = try await client.execute(uri: "/api/v1/recipients/ada/unread-count", method: .get)
      #expect(String(buffer: count.body) == #"{"seq":6,"unread":0}"#)
    }
  }

  @Test("recipients and tenants with characters that addresses reserve are read as they are")
  func encoding() async throws {
    let odd = InboxRecipient(tenant: "a&b=c d", recipient: "50%41@müller.example?x#y")
    _ = try store.apply(Fixture.batch(0..<1, for: odd))
    try await application().test(.router) { client in
      // A space is written in either way; browsers' URLSearchParams write a plus.
      for tenant in ["a%26b%3Dc%20d", "a%26b%3Dc+d"] {
        let uri = "/api/v1/recipients/50%2541%40m%C3%BCller.example%3Fx%23y/unread-count?tenant=\(tenant)"
        let count = try await client.execute(uri: uri, method: .get)
        #expect(String(buffer: count.body) == #"{"seq":1,"unread":1}"#, "\(tenant)")
      }
    }
  }

  @Test(
    "a query is read as the URL standard writes forms: a plus is a space, in a path it is itself",
    arguments: [
      ("prefix=%2B49", ["+49 30"]), ("prefix=+49", []), ("prefix=a+", ["a b"]), ("prefix=a%20", ["a b"]),
      ("pr%65fix=a+b", ["a b"]), ("&&prefix=a%2Bb&", ["a+b"]), ("prefix=a&limit=1", ["a b"]),
      ("prefix==", ["=c"]), ("prefix", ["=c", "a b", "a+b", "+49 30"]),
      ("tenant=&prefix=a%2B", ["a+b"]),
    ])
  func forms(query: String, found: [String]) async throws {
    for (index, name) in ["+49 30", "a+b", "a b", "=c"].enumerated() {
      var batch = InboxBatch(topic: "t")
      let recipient = InboxRecipient(recipient: name)
      batch.append(Fixture.entry(index, for: recipient), partition: 0, offset: Int64(index))
      _ = try store.apply(batch)
      try await store.pool.write { database in
        try database.execute(
          sql: "UPDATE recipient SET updated = ? WHERE name = ?", arguments: [index, name])
      }
    }
    try await application().test(.router) { client in
      let response = try await client.execute(uri: "/api/v1/recipients?\(query)", method: .get)
      let recipients = try #require(try json(response)["recipients"] as? [[String: Any]])
      #expect(recipients.map { $0["recipient"] as? String } == found)
      let count = try await client.execute(uri: "/api/v1/recipients/a+b/unread-count", method: .get)
      #expect(String(buffer: count.body) == #"{"seq":1,"unread":1}"#)
    }
  }

  @Test(
    "a bad request is a problem document that says what would be right",
    arguments: [
      ("/api/v1/recipients/ada/notifications?limit=0", "limit is \"0\""),
      ("/api/v1/recipients/ada/notifications?limit=many", "from 1 to 200"),
      ("/api/v1/recipients/ada/notifications?before=-1", "before is \"-1\""),
      ("/api/v1/recipients/ada/notifications?unread=yes", "true or false"),
      ("/api/v1/recipients/a%2Fb/notifications", "neither a slash"),
      ("/api/v1/recipients/a%00b/unread-count", "control characters"),
      ("/api/v1/recipients/%FF/unread-count", "percent-encoded"),
      ("/api/v1/recipients/ada/unread-count?tenant=a%0Ab", "tenant must hold"),
      ("/api/v1/recipients/\(String(repeating: "x", count: 513))/unread-count", "1 to 512 bytes"),
      ("/api/v1/recipients/ada/events?since=x", "since is"),
      ("/api/v1/recipients/ada/unread-count?tenant=default&tenant=acme", "tenant once"),
      ("/api/v1/recipients/ada/unread-count?tenant=default&tenant=default", "tenant once"),
      ("/api/v1/recipients/ada/unread-count?tenant=&tenant=acme", "tenant once"),
      ("/api/v1/recipients/ada/unread-count?tenant=default&%74enant=acme", "tenant once"),
      ("/api/v1/recipients/ada/unread-count?TENANT=default&tenant=acme", "tenant once"),
      ("/api/v1/recipients/ada/unread-count?Tenant=acme", "lower case"),
      ("/api/v1/recipients/ada/unread-count?tenant=%FF", "percent-encoded"),
      ("/api/v1/recipients/ada/unread-count?tenant=50%", "percent-encoded"),
      ("/api/v1/recipients?prefix=a&prefix=b", "prefix once"),
    ])
  func badRequests(uri: String, words: String) async throws {
    try await application().test(.router) { client in
      let response = try await client.execute(uri: uri, method: .get)
      #expect(response.status == .badRequest)
      #expect(response.headers[.contentType] == "application/problem+json")
      let problem = try json(response)
      #expect(problem["status"] as? Int == 400)
      #expect((problem["detail"] as? String)?.contains(words) == true, "\(problem)")
    }
  }

  @Test("what is not there is a problem document, too")
  func notFound() async throws {
    try await application().test(.router) { client in
      for (uri, method) in [
        ("/nothing", HTTPRequest.Method.get), ("/api/v1/recipients/ada/notifications/x/read", .post),
        ("/api/v1/events", .post),
      ] {
        let response = try await client.execute(uri: uri, method: method)
        #expect(response.status == .notFound, "\(uri)")
        #expect(response.headers[.contentType] == "application/problem+json", "\(uri)")
      }
    }
  }

  @Test("a change that another site's page makes a browser send is refused")
  func crossSite() async throws {
    _ = try store.apply(Fixture.batch(0..<1))
    let site = try #require(HTTPField.Name("Sec-Fetch-Site"))
    try await application(publish: { _ in }).test(.router) { client in
      for uri in ["/api/v1/recipients/ada/read-all", "/api/v1/events"] {
        let response = try await client.execute(uri: uri, method: .post, headers: [site: "cross-site"])
        #expect(response.status == .forbidden)
      }
      let own = try await client.execute(
        uri: "/api/v1/recipients/ada/read-all", method: .post, headers: [site: "same-origin"])
      #expect(own.status == .ok)
    }
  }

  @Test(
    "over plain http, where browsers do not say the site, a change from a page of another origin is refused",
    arguments: [
      ("http://evil.example", HTTPResponse.Status.forbidden), ("http://localhost:81", .forbidden),
      ("http://localhost.evil.example", .forbidden), ("http://evil.example/localhost", .forbidden),
      ("https://evil.example", .forbidden), ("null", .forbidden), ("localhost", .forbidden),
      ("http://localhost", .ok), ("https://localhost", .ok), ("", .ok),
    ])
  func crossOrigin(origin: String, status: HTTPResponse.Status) async throws {
    _ = try store.apply(Fixture.batch(0..<1))
    // Programs that are no browsers name no origin.
    let headers: HTTPFields = origin.isEmpty ? [:] : [.origin: origin]
    // A live server: which part of the request has the Host is for the HTTP parser to say.
    try await application().test(.live) { client in
      let uri = "/api/v1/recipients/ada/read-all"
      let response = try await client.execute(uri: uri, method: .post, headers: headers)
      #expect(response.status == status)
      let read = try await client.execute(
        uri: "/api/v1/recipients/ada/unread-count", method: .get, headers: headers)
      #expect(read.status == .ok)
    }
  }

  @Test("an event of the page reaches the publisher byte for byte, and a refusal reaches the page")
  func publish() async throws {
    let published = Mutex<[[UInt8]]>([])
    let publish: InboxPublish = { event in
      if event == Array("{}".utf8) { throw InboxPublishRefusal(reason: "\"id\" is missing.") }
      published.withLock { $0.append(event) }
    }
    try await application(publish: publish).test(.router) { client in
      let type: HTTPFields = [.contentType: "application/cloudevents+json; charset=utf-8"]
      let body = ByteBuffer(string: "{\"id\": 1 }")
      let taken = try await client.execute(uri: "/api/v1/events", method: .post, headers: type, body: body)
      #expect(taken.status == .accepted)
      let refused = try await client.execute(
        uri: "/api/v1/events", method: .post, headers: type, body: ByteBuffer(string: "{}"))
      #expect(refused.status.code == 422)
      #expect(try json(refused)["detail"] as? String == "\"id\" is missing.")
      let form = try await client.execute(
        uri: "/api/v1/events", method: .post, headers: [.contentType: "text/plain"], body: body)
      #expect(form.status == .unsupportedMediaType)
      let large = ByteBuffer(repeating: 0x20, count: InboxRoutes.publishLimit + 1)
      let tooLarge = try await client.execute(
        uri: "/api/v1/events", method: .post, headers: type, body: large)
      #expect(tooLarge.status == .contentTooLarge)
    }
    #expect(published.withLock { $0 } == [Array("{\"id\": 1 }".utf8)])
  }

  @Test("the page and its parts come with a policy that allows no foreign and no inline code")
  func page() async throws {
    try await application().test(.router) { client in
      for uri in ["/", "/page.js", "/page.css", "/tidings-inbox.js", "/favicon.ico"] {
        let response = try await client.execute(uri: uri, method: .get)
        #expect(response.status == .ok, "\(uri)")
        let policy = response.headers[.contentSecurityPolicy] ?? ""
        #expect(policy.contains("default-src 'none'") && !policy.contains("unsafe"), "\(uri)")
      }
      let page = String(buffer: try await client.execute(uri: "/", method: .get).body)
      #expect(!page.contains("<style") && !page.contains(" onclick") && !page.contains(" style="))
    }
  }

  @Test("the web component sets texts as text: data never becomes markup")
  func noMarkup() {
    let component = String(decoding: PackageResources.tidings_inbox_js, as: UTF8.self)
    let page = String(decoding: PackageResources.page_js, as: UTF8.self)
    // The one use is the constant template.
    #expect(component.components(separatedBy: "innerHTML").count == 2)
    #expect(component.contains("template.innerHTML = `"))
    for sink in ["outerHTML", "insertAdjacentHTML", "document.write", "eval("] {
      #expect(!component.contains(sink) && !page.contains(sink))
    }
    #expect(!page.contains("innerHTML"))
  }

  @Test(
    "a connection that asks for nothing is closed, and one that follows the events is not",
    .timeLimit(.minutes(1)))
  func idle() async throws {
    let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
    let (listening, report) = AsyncStream.makeStream(of: Int.self)
    let server = InboxServer(
      store: store, signals: signals, ports: [0], logger: logger, idleTimeout: .milliseconds(50),
      onListening: { report.yield($0) })
    let group = ServiceGroup(services: [server], logger: logger)
    try await withThrowingTaskGroup(of: Void.self) { tasks in
      tasks.addTask { try await group.run() }
      let port = try #require(await listening.first { _ in true })
      let client = ClientBootstrap(group: .singletonMultiThreadedEventLoopGroup)
      let follower = try await client.connect(host: "127.0.0.1", port: port) { channel in
        channel.eventLoop.makeCompletedFuture {
          try NIOAsyncChannel<ByteBuffer, ByteBuffer>(wrappingChannelSynchronously: channel)
        }
      }
      try await follower.executeThenClose { inbound, outbound in
        try await outbound.write(
          ByteBuffer(string: "GET /api/v1/recipients/anna/events HTTP/1.1\r\nHost: localhost\r\n\r\n"))
        var received = inbound.makeAsyncIterator()
        var text = ""
        while !text.contains("event:"), let bytes = try await received.next() {
          text += String(buffer: bytes)
        }
        #expect(text.contains("200 OK"))
        for _ in 0..<3 {
          try await client.connect(host: "127.0.0.1", port: port).get().closeFuture.get()
        }
        signals.notifyAll()
        #expect(try await received.next() != nil)
      }
      await group.triggerGracefulShutdown()
      try await tasks.waitForAll()
    }
  }

  @Test("a port that is taken is left for the next one; when none is free, the error says what to set")
  func ports() async throws {
    let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
    let (listening, report) = AsyncStream.makeStream(of: Int.self)
    let first = InboxServer(
      store: store, signals: InboxSignals(), ports: [0], logger: logger, onListening: { report.yield($0) })
    let group = ServiceGroup(services: [first], logger: logger)
    try await withThrowingTaskGroup(of: Void.self) { tasks in
      tasks.addTask { try await group.run() }
      var ports = listening.makeAsyncIterator()
      let taken = try #require(await ports.next())
      let none = InboxServer(store: store, signals: InboxSignals(), ports: [taken], logger: logger)
      let error = await #expect(throws: InboxServerError.self) { try await none.run() }
      #expect(error.map { "\($0)".contains("Set inbox.port") } == true)
      let second = InboxServer(
        store: store, signals: InboxSignals(), ports: [taken, 0], logger: logger,
        onListening: { report.yield($0) })
      let other = ServiceGroup(services: [second], logger: logger)
      tasks.addTask { try await other.run() }
      let free = try #require(await ports.next())
      #expect(free != taken)
      await group.triggerGracefulShutdown()
      await other.triggerGracefulShutdown()
      try await tasks.waitForAll()
    }
  }
}
