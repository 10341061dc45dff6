import Foundation
import Hummingbird
import Logging
import NIOCore
import ServiceLifecycle

/// Serves the inbox over HTTP: the API, the events, the page.
public struct InboxServer: Service {
  private let routes: InboxRoutes
  private let host: String
  private let ports: [Int]
  private let idleTimeout: Duration
  private let onListening: @Sendable (Int) -> Void

  /// A server, not yet listening.
  ///
  /// - Parameters:
  ///   - signals: what the ``InboxConsumer`` of the same store notifies.
  ///   - host: the address to listen on. There is no authentication: beyond loopback, put a proxy in front.
  ///   - ports: tried in this order until one is free; 0 takes any.
  ///   - publish: takes events that somebody writes on the page; without it the page has no form.
  ///   - idleTimeout: how long a connection may stay open without a request; a stream of events is a request.
  ///   - onListening: called with the port once the server listens.
  public init(
    store: InboxStore, signals: InboxSignals, host: String = "127.0.0.1", ports: [Int],
    publish: InboxPublish? = nil, logger: Logger, idleTimeout: Duration = .seconds(75),
    onListening: @escaping @Sendable (Int) -> Void = { _ in }
  ) {
    routes = InboxRoutes(store: store, signals: signals, publish: publish, logger: logger)
    self.host = host
    self.ports = ports
    self.idleTimeout = idleTimeout
    self.onListening = onListening
  }

  /// How often an idle stream of events says that it lives.
  static let heartbeat = Duration.seconds(15)

  /// How long a client may leave what was sent to it unread before its connection is dropped, in
  /// milliseconds.
  static let unreadTimeoutMilliseconds: Int32 = 30_000

  /// Serves until the graceful shutdown; then the event streams end and open requests finish.
  ///
  /// - Throws: ``InboxServerError`` when no port can be had.
  public func run() async throws {
    let signals = routes.signals
    try await withGracefulShutdownHandler {
      try await withThrowingTaskGroup(of: Void.self) { group in
        group.addTask {
          while true {
            try await Task.sleep(for: Self.heartbeat)
            signals.notifyAll()
          }
        }
        group.addTask { try await serve() }
        // The server ends first, by its shutdown or by its error; the other task never ends by itself.
        defer { group.cancelAll() }
        try await group.next()
      }
    } onGracefulShutdown: {
      signals.close()
    }
  }

  private func serve() async throws {
    var last: (port: Int, errno: Int32) = (0, EADDRINUSE)
    for port in ports {
      do {
        return try await application(port: port).run()
      } catch let error as IOError {
        last = (port, error.errnoCode)
        guard error.errnoCode == EADDRINUSE else { break }
      }
    }
    throw InboxServerError(host: host, port: last.port, errno: last.errno)
  }

  private func application(port: Int) -> some ApplicationProtocol {
    var quiet = routes.logger
    quiet.logLevel = max(quiet.logLevel, .warning)
    let listening = onListening
    return Application(
      router: routes.router(),
      server: .http1(configuration: .init(idleTimeout: TimeAmount(idleTimeout))),
      configuration: ApplicationConfiguration(address: .hostname(host, port: port)),
      onServerRunning: { channel in
        await Self.boundUnreadData(of: channel)
        listening(channel.localAddress?.port ?? port)
      },
      logger: quiet)
  }

  /// Has the kernel drop connections whose client takes nothing (tcp(7), `TCP_USER_TIMEOUT`): connections
  /// inherit the option from the socket that they were accepted on. A client that was dropped resumes by its
  /// last event id.
  private static func boundUnreadData(of channel: any Channel) async {
    #if os(Linux)
      let option = ChannelOptions.Types.SocketOption(level: .tcp, name: .init(rawValue: TCP_USER_TIMEOUT))
      try? await channel.setOption(option, value: .init(unreadTimeoutMilliseconds)).get()
    #endif
  }
}

/// The inbox cannot listen.
public struct InboxServerError: Error, CustomStringConvertible, Sendable {
  /// The address that was asked for.
  public let host: String
  /// The last port that was tried.
  public let port: Int
  /// What the system said (errno(3)).
  public let errno: Int32

  /// What is the matter and what to set.
  public var description: String {
    let place = "\(host):\(port)"
    switch errno {
    case EADDRINUSE:
      return "cannot serve the inbox: \(place) is taken by another process. Set inbox.port to a free port "
        + "(0 takes any), or stop the other process."
    case EACCES:
      return "cannot serve the inbox: no permission for port \(port). Set inbox.port to 1024 or more."
    case EADDRNOTAVAIL:
      return "cannot serve the inbox: \(host) is no address of this machine. Set inbox.host, for example to "
        + "127.0.0.1."
    default: return "cannot serve the inbox on \(place): \(String(cString: strerror(errno)))."
    }
  }
}
