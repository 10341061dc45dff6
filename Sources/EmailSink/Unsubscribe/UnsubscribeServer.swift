import Delivery
import Foundation
import HTTPTypes
import Hummingbird
import Logging
import NIOCore
import ServiceLifecycle

/// Serves the links that mails carry for unsubscribing.
///
/// A `POST` unsubscribes (RFC 8058 §3.2); a `GET` shows a page with a button that does, since programs that check mails
/// follow links. It speaks plain HTTP: put a proxy with TLS in front, as the links begin with `https`. The last part of the
/// path is the token, whatever stands before it.
public struct UnsubscribeServer: Service {
  /// The largest body of a request, in bytes; the one that counts has 26.
  static let bodyLimit = 4096

  private let key: UnsubscribeKey
  private let engagement: any EngagementPublishing
  private let host: String
  private let port: Int
  private let logger: Logger
  private let idleTimeout: Duration
  private let onListening: @Sendable (Int) -> Void

  /// A server, not yet listening.
  ///
  /// - Parameters:
  ///   - links: those that the mails carry.
  ///   - engagement: told who has unsubscribed from what.
  ///   - port: 0 takes any free one.
  ///   - idleTimeout: how long a connection may stay open without a request.
  ///   - onListening: called with the port once the server listens.
  public init(
    links: UnsubscribeLinks, engagement: any EngagementPublishing, host: String, port: Int, logger: Logger,
    idleTimeout: Duration = .seconds(75),
    onListening: @escaping @Sendable (Int) -> Void = { _ in }
  ) {
    key = links.key
    self.engagement = engagement
    self.host = host
    self.port = port
    self.logger = logger
    self.idleTimeout = idleTimeout
    self.onListening = onListening
  }

  /// Serves until the graceful shutdown.
  ///
  /// - Throws: ``UnsubscribeServerError`` when the port cannot be had.
  public func run() async throws {
    var quiet = logger
    quiet.logLevel = max(logger.logLevel, .warning)
    let (listening, port) = (onListening, port)
    let application = Application(
      router: router(), server: .http1(configuration: .init(idleTimeout: TimeAmount(idleTimeout))),
      configuration: ApplicationConfiguration(address: .hostname(host, port: port)),
      onServerRunning: { channel in listening(channel.localAddress?.port ?? port) }, logger: quiet)
    do {
      try await application.run()
    } catch let error as IOError {
      throw UnsubscribeServerError(host: host, port: port, errno: error.errnoCode)
    }
  }

  /// The routes, for tests without a socket.
  func router() -> Router<BasicRequestContext> {
    let router = Router()
    router.get("**") { request, _ in
      guard let token = token(of: request) else { return Self.unknown }
      return Self.page(
        .ok, "No more mail about \(token.category)?",
        """
        <form method="post"><input type="hidden" name="List-Unsubscribe" value="One-Click">\
        <button>Unsubscribe \(Self.escaped(token.recipient))</button></form>
        """)
    }
    router.post("**") { request, _ in
      guard let token = token(of: request) else { return Self.unknown }
      let body = try await request.body.collect(upTo: Self.bodyLimit)
      let words = String(buffer: body)
      // As a form's field, or as a part of multipart/form-data.
      guard words.contains("List-Unsubscribe"), words.contains("One-Click") else {
        return Self.page(
          .badRequest, "Nothing was changed",
          "<p>The request does not say <code>List-Unsubscribe=One-Click</code> (RFC 8058).</p>")
      }
      return await unsubscribe(token)
    }
    return router
  }

  private func token(of request: Request) -> UnsubscribeToken? {
    request.uri.path.split(separator: "/").last.flatMap { UnsubscribeToken($0, key: key) }
  }

  private func unsubscribe(_ token: UnsubscribeToken) async -> Response {
    var report = EngagementReport(
      .unsubscribed, of: token.delivery, tenant: token.tenant, recipient: token.recipient, channel: .email,
      timeMilliseconds: Int64(Date().timeIntervalSince1970 * 1000))
    report.category = token.category
    do {
      try await engagement.publish(report)
    } catch {
      logger.error("an unsubscription was not taken; whoever asked was told to try again: \(error)")
      return Self.page(
        .serviceUnavailable, "Not unsubscribed yet", "<p>Please try again in a few minutes.</p>")
    }
    logger.info(
      "a recipient has unsubscribed",
      metadata: [
        "recipient": "\(token.recipient)", "tenant": "\(token.tenant)", "category": "\(token.category)",
      ])
    return Self.page(
      .ok, "No more mail about \(token.category)", "<p>Except what has to be sent, such as a warning.</p>")
  }

  private static var unknown: Response {
    page(.notFound, "This link is not valid", "<p>Perhaps it was cut. Nothing was changed.</p>")
  }

  private static func page(_ status: HTTPResponse.Status, _ title: String, _ content: String) -> Response {
    let title = escaped(title)
    let html = """
      <!DOCTYPE html>
      <html lang="en">
      <head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
      <meta name="robots" content="noindex"><meta name="color-scheme" content="light dark"><title>\(title)</title></head>
      <body><h1>\(title)</h1>\(content)</body>
      </html>

      """
    var headers: HTTPFields = [
      .contentType: "text/html; charset=utf-8", .cacheControl: "no-store", .xContentTypeOptions: "nosniff",
      .contentSecurityPolicy:
        "default-src 'none'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    ]
    // The address of this page is what unsubscribes.
    if let referrer = HTTPField.Name("Referrer-Policy") { headers[referrer] = "no-referrer" }
    return Response(
      status: status, headers: headers, body: ResponseBody(byteBuffer: ByteBuffer(string: html)))
  }

  private static func escaped(_ text: String) -> String { HTMLText().escapeText(text) }
}

/// The server for unsubscribing cannot listen.
public struct UnsubscribeServerError: Error, CustomStringConvertible, Sendable {
  /// The address that was asked for.
  public let host: String
  /// The port that was asked for.
  public let port: Int
  /// What the system said (errno(3)).
  public let errno: Int32

  /// What is the matter and what to set.
  public var description: String {
    "cannot serve unsubscribing on \(host):\(port): \(String(cString: strerror(errno))). Set "
      + "email.unsubscribe.host to an address of this machine and email.unsubscribe.port to a free port."
  }
}
