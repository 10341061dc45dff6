import CoreMetrics
import Foundation
import Hummingbird
import HummingbirdTesting
import Logging
import NIOPosix
import ServiceLifecycle
import Testing

@testable import Operations

@Suite("The server for operations")
struct OperationsServerTests {
  private let registry = PrometheusRegistry()
  private let health = HealthState()

  private func application() -> some ApplicationProtocol {
    let server = OperationsServer(
      host: "127.0.0.1", port: 0, registry: registry, health: health, logger: Logger(label: "test"))
    return Application(router: server.router())
  }

  @Test("metrics come with the media type of the format")
  func metrics() async throws {
    try await application().test(.router) { client in
      try await client.execute(uri: "/metrics", method: .get) { response in
        #expect(response.status == .ok)
        #expect(response.headers[.contentType]?.hasPrefix("text/plain; version=0.0.4") == true)
        #expect(String(buffer: response.body).contains("tidings_ready 1"))
      }
    }
  }

  @Test("a process is ready when every check passes, and says which one does not and why")
  func readiness() async throws {
    health.report("partitions", .passing)
    health.report("database", .failing(reason: "disk full at \"inbox.sqlite\""))
    try await application().test(.router) { client in
      try await client.execute(uri: "/readyz", method: .get) { response in
        #expect(response.status == .serviceUnavailable)
        #expect(
          String(buffer: response.body)
            == #"{"checks":{"database":{"reason":"disk full at \"inbox.sqlite\"","status":"failing"},"#
            + #""partitions":{"status":"passing"}},"status":"failing"}"#)
      }
      try await client.execute(uri: "/metrics", method: .get) { response in
        #expect(String(buffer: response.body).contains("tidings_ready 0"))
      }
      try await client.execute(uri: "/livez", method: .get) { #expect($0.status == .ok) }
      health.report("database", .passing)
      try await client.execute(uri: "/readyz", method: .get) { #expect($0.status == .ok) }
    }
  }

  @Test("a check for liveness is computed at each request")
  func liveness() async throws {
    let beats = LogRecorder()
    health.add("worker", for: .liveness) {
      beats.lines.isEmpty ? .failing(reason: "no sign of life") : .passing
    }
    try await application().test(.router) { client in
      try await client.execute(uri: "/livez", method: .get) { #expect($0.status == .serviceUnavailable) }
      beats.logger.info("alive")
      try await client.execute(uri: "/livez", method: .get) { #expect($0.status == .ok) }
    }
  }

  @Test("a connection that asks for nothing is closed", .timeLimit(.minutes(1)))
  func idle() async throws {
    let (ports, report) = AsyncStream.makeStream(of: Int.self)
    let server = OperationsServer(
      host: "127.0.0.1", port: 0, registry: registry, health: health, logger: Logger(label: "test"),
      idleTimeout: .milliseconds(50), onListening: { report.yield($0) })
    let group = ServiceGroup(services: [server], logger: Logger(label: "test"))
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

  @Test("a port that is taken is named in the error with what to set")
  func portTaken() async throws {
    let (ports, report) = AsyncStream.makeStream(of: Int.self)
    let first = OperationsServer(
      host: "127.0.0.1", port: 0, registry: registry, health: health, logger: Logger(label: "test"),
      onListening: { report.yield($0) })
    let group = ServiceGroup(services: [first], logger: Logger(label: "test"))
    try await withThrowingTaskGroup(of: Void.self) { tasks in
      tasks.addTask { try await group.run() }
      let port = try #require(await ports.first { _ in true })
      let second = OperationsServer(
        host: "127.0.0.1", port: port, registry: registry, health: health, logger: Logger(label: "test"))
      let error = await #expect(throws: OperationsServerError.self) { try await second.run() }
      let text = error.map { String(describing: $0) } ?? ""
      #expect(text.contains("127.0.0.1:\(port) is taken"))
      #expect(text.contains("metrics.port"))
      await group.triggerGracefulShutdown()
      try await tasks.waitForAll()
    }
  }
}
