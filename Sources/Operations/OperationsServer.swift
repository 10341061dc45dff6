import Contract
import Foundation
import Hummingbird
import Logging
import NIOCore
import ServiceLifecycle
import Synchronization

/// The HTTP server for those who run a process: `/metrics`, `/livez` and `/readyz`.
///
/// `/livez` and `/readyz` answer 200 or 503 with
/// `{"status":"…","checks":{"name":{"status":"…","reason":"…"}}}`.
public struct OperationsServer: Service {
  private let host: String
  private let port: Int
  private let registry: PrometheusRegistry
  private let health: HealthState
  private let logger: Logger
  private let idleTimeout: Duration
  private let onListening: @Sendable (Int) -> Void

  /// A server, not yet listening.
  ///
  /// - Parameters:
  ///   - host: the address to listen on; `0.0.0.0` for all.
  ///   - port: the port; 0 takes any free one.
  ///   - idleTimeout: how long a connection may stay open without a request.
  ///   - onListening: called with the port once the server listens.
  public init(
    host: String, port: Int, registry: PrometheusRegistry, health: HealthState, logger: Logger,
    idleTimeout: Duration = .seconds(75),
    onListening: @escaping @Sendable (Int) -> Void = { _ in }
  ) {
    self.host = host
    self.port = port
    self.registry = registry
    self.health = health
    self.logger = logger
    self.idleTimeout = idleTimeout
    self.onListening = onListening
    let ready = registry.makeMeter(label: "tidings_ready", dimensions: [])
    registry.beforeRender { ready.set(health.report(for: .readiness).isPassing ? Int64(1) : 0) }
  }

  /// Serves until the graceful shutdown.
  ///
  /// - Throws: ``OperationsServerError`` when the port cannot be had.
  public func run() async throws {
    var quiet = logger
    quiet.logLevel = max(logger.logLevel, .warning)
    let listening = onListening
    let application = Application(
      router: router(),
      server: .http1(configuration: .init(idleTimeout: TimeAmount(idleTimeout))),
      configuration: ApplicationConfiguration(address: .hostname(host, port: port)),
      onServerRunning: { channel in listening(channel.localAddress?.port ?? 0) },
      logger: quiet)
    do {
      try await application.run()
    } catch let error as IOError {
      throw OperationsServerError(host: host, port: port, errno: error.errnoCode)
    }
  }

  /// The routes, for tests without a socket.
  func router() -> Router<BasicRequestContext> {
    let router = Router()
    let registry = registry
    let health = health
    router.get("metrics") { _, _ in
      Response(
        status: .ok, headers: [.contentType: PrometheusText.contentType],
        body: ResponseBody(byteBuffer: ByteBuffer(string: registry.render())))
    }
    router.get("livez") { _, _ in try Self.response(health.report(for: .liveness)) }
    router.get("readyz") { _, _ in try Self.response(health.report(for: .readiness)) }
    return router
  }

  private static func response(_ report: HealthState.Report) throws -> Response {
    let body = try JSONDocument.data(HealthDocument(report), as: .line)
    return Response(
      status: report.isPassing ? .ok : .serviceUnavailable,
      headers: [.contentType: "application/json", .cacheControl: "no-store"],
      body: ResponseBody(byteBuffer: ByteBuffer(bytes: body)))
  }
}

/// The JSON of `/livez` and `/readyz`.
private struct HealthDocument: Encodable {
  struct Check: Encodable {
    var status: String
    var reason: String?
  }

  var status: String
  var checks: [String: Check]

  init(_ report: HealthState.Report) {
    status = report.isPassing ? "passing" : "failing"
    checks = [:]
    for (name, state) in report.checks {
      switch state {
      case .passing: checks[name] = Check(status: "passing", reason: nil)
      case .failing(let reason): checks[name] = Check(status: "failing", reason: reason)
      }
    }
  }
}

/// The server for operations cannot listen.
public struct OperationsServerError: Error, CustomStringConvertible, Sendable {
  /// The address that was asked for.
  public let host: String
  /// The port that was asked for.
  public let port: Int
  /// What the system said (errno(3)).
  public let errno: Int32

  /// What is the matter and what to set.
  public var description: String {
    let place = "\(host):\(port)"
    switch errno {
    case EADDRINUSE:
      return "cannot serve metrics and health: \(place) is taken by another process. "
        + "Set metrics.port to a free port (0 takes any), or stop the other process."
    case EACCES:
      return
        "cannot serve metrics and health: no permission for port \(port). Set metrics.port to 1024 or more."
    case EADDRNOTAVAIL:
      return "cannot serve metrics and health: \(host) is no address of this machine. Set metrics.host, "
        + "for example to 127.0.0.1 or 0.0.0.0."
    default:
      return "cannot serve metrics and health on \(place): \(String(cString: strerror(errno)))."
    }
  }
}
