/// How long to wait before the next attempt, and how many there are.
public struct RetryPolicy: Equatable, Sendable {
  /// The wait after the first failure.
  public var initialDelay: Duration
  /// The longest wait.
  public var maximumDelay: Duration
  /// How many attempts a delivery has, the first one included; at least 1.
  public var attemptLimit: Int

  /// A policy; by default 8 attempts within about a minute.
  public init(
    initialDelay: Duration = .milliseconds(500), maximumDelay: Duration = .seconds(60), attemptLimit: Int = 8
  ) {
    self.initialDelay = initialDelay
    self.maximumDelay = max(initialDelay, maximumDelay)
    self.attemptLimit = max(1, attemptLimit)
  }

  /// The wait after the failure number `failures` (from 1): doubled each time up to the maximum, and of that a random
  /// part between a half and the whole, so that what failed together does not come back together.
  public func delay(afterFailures failures: Int, using random: inout some RandomNumberGenerator) -> Duration {
    var delay = initialDelay
    for _ in 1..<max(1, failures) where delay < maximumDelay { delay *= 2 }
    return min(delay, maximumDelay) * Double.random(in: 0.5...1, using: &random)
  }
}
