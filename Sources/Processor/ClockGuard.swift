/// Whether the timer clock may close windows (design §3): it has to agree with the wall clock, and with the broker's
/// clock as of the last commit.
struct ClockGuard {
  /// How far two clocks may differ, in milliseconds.
  static let bound: Int64 = 60_000

  /// How far the broker's clock is ahead of the timer clock, in milliseconds; nil before the first comparison.
  private(set) var brokerLead: Int64?

  /// A guard that knows nothing yet.
  ///
  /// - Parameter hasBrokerClock: whether the broker tells its time at all; where it does not, there is nothing to wait
  ///   for.
  init(hasBrokerClock: Bool) {
    if !hasBrokerClock { brokerLead = 0 }
  }

  /// Whether the clock was compared with the broker's since the process began.
  var isVerified: Bool { brokerLead != nil }

  /// Takes the time at which the broker appended a record of ours, and those between which it did so by our clock.
  ///
  /// - Parameter appended: nil where the topic keeps the producers' time.
  mutating func compare(appended: Int64?, sent: Int64, confirmed: Int64) {
    brokerLead = appended.map { Self.lead(of: $0, sent: sent, confirmed: confirmed) } ?? 0
  }

  /// How far an instant lies outside of an interval, in milliseconds; positive behind it.
  static func lead(of instant: Int64, sent: Int64, confirmed: Int64) -> Int64 {
    if instant < sent { return instant - sent }
    return max(0, instant - confirmed)
  }

  /// The largest difference between two of the clocks, in milliseconds.
  ///
  /// - Parameter drift: how far the wall clock is ahead of the timer clock.
  func skew(drift: Int64) -> Int64 {
    guard let brokerLead, brokerLead.magnitude > drift.magnitude else { return drift }
    return brokerLead
  }
}
