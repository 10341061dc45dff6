import CLibrdkafka
import Logging
import Synchronization

/// What librdkafka's threads say, as one log that a person can read.
///
/// A dozen clients that cannot reach a broker each retry several times a second: the log says so once, for all
/// clients of a cluster together, and then twice a minute with the number of attempts that failed meanwhile.
final class ConnectionLog: Sendable {
  private struct Outage {
    var lastReport: ContinuousClock.Instant?
    var failuresSinceReport = 0
    var reason = "connection lost"
  }

  private static let reportInterval: Duration = .seconds(30)

  private let logger: Logger
  private let bootstrapServers: String
  private let outage = Mutex(Outage())
  private let isClusterGone = Atomic<Bool>(false)

  init(logger: Logger, bootstrapServers: String) {
    self.logger = logger
    self.bootstrapServers = bootstrapServers
  }

  /// The cluster ends on purpose: that clients lose it is no news from now on.
  func clusterEnds() { isClusterGone.store(true, ordering: .relaxed) }

  /// A line of librdkafka's log.
  ///
  /// - Parameters:
  ///   - level: as of syslog, 0 (emergency) to 7 (debug).
  ///   - facility: librdkafka's word for what the line is about: `FAIL`, `ERROR`, `CONFWARN`, …
  func record(level: Int32, facility: String, text: String) {
    switch facility {
    case "FAIL", "ERROR": recordFailure(text, level: level)
    case "CONFWARN" where text.contains("property and will be ignored"):
      // The user's properties are for consumers and producers alike.
      logger.debug("librdkafka: \(text)")
    default:
      logger.log(level: Self.logLevel(level), "librdkafka: \(text)", metadata: ["facility": "\(facility)"])
    }
  }

  private func recordFailure(_ text: String, level: Int32) {
    logger.debug("librdkafka: \(text)")
    if isClusterGone.load(ordering: .relaxed) { return }
    if text.contains("brokers are down") {
      reportOutage()
    } else if Self.isAuthentication(text) {
      report { _ in "the broker refuses us: \(text); check kafka.security.protocol and kafka.sasl.*; retrying"
      }
    } else if Self.isConnection(text) {
      outage.withLock { $0.reason = Self.reason(of: text) }
    } else if level <= 3 {
      logger.error("librdkafka: \(text)")
    }
  }

  private func reportOutage() {
    report { reason in
      "no broker reachable at \(bootstrapServers) (\(reason)); check kafka.bootstrap.servers; retrying"
    }
  }

  private func report(_ message: (_ reason: String) -> String) {
    let now = ContinuousClock.now
    let (due, failures, reason) = outage.withLock { outage in
      if let last = outage.lastReport, now - last < Self.reportInterval {
        outage.failuresSinceReport += 1
        return (false, 0, "")
      }
      defer {
        outage.lastReport = now
        outage.failuresSinceReport = 0
      }
      return (true, outage.failuresSinceReport, outage.reason)
    }
    guard due else { return }
    logger.warning("\(message(reason))", metadata: failures > 0 ? ["failuresSince": "\(failures)"] : [:])
  }

  private static func isAuthentication(_ text: String) -> Bool {
    ["SASL", "uthentication", "SSL handshake failed", "certificate"].contains { text.contains($0) }
  }

  private static func isConnection(_ text: String) -> Bool {
    [
      "Connect to", "Failed to resolve", "Disconnected", "Connection setup timed out",
      "ApiVersionRequest failed",
    ]
    .contains { text.contains($0) }
  }

  // "[thrd:…]: host:9092/bootstrap: Connect to ipv4#… failed: Connection refused (after 0ms in state CONNECT)"
  private static func reason(of text: String) -> String {
    let start = text.range(of: "Connect to") ?? text.range(of: "Failed to resolve")
    guard let start else { return text }
    let rest = text[start.lowerBound...]
    let end = rest.range(of: " (after")?.lowerBound ?? rest.endIndex
    return String(rest[..<end])
  }

  private static func logLevel(_ level: Int32) -> Logger.Level {
    switch level {
    case ...2: .critical
    case 3: .error
    case 4: .warning
    case 5, 6: .info
    default: .debug
    }
  }
}
