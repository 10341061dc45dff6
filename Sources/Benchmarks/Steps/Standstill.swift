/// Ends a wait in which nothing goes on any more: what was lost on its way must not hold a benchmark up for ever.
struct Standstill {
  private static let patience = Duration.seconds(120)

  private let now: () -> ContinuousClock.Instant
  private var last: (measure: Double, instant: ContinuousClock.Instant)?

  init(now: @escaping () -> ContinuousClock.Instant = { .now }) { self.now = now }

  /// Notes how far things are, by any measure that changes while they go on.
  ///
  /// - Throws: `BenchmarkError` with the message when the measure has been the same for two minutes.
  mutating func check(_ measure: Double, _ message: @autoclosure () -> String) throws(BenchmarkError) {
    let instant = now()
    guard let last, last.measure == measure else {
      self.last = (measure, instant)
      return
    }
    guard instant - last.instant >= Self.patience else { return }
    throw BenchmarkError("\(message()), and nothing has come for \(Self.patience): --verbose may tell why")
  }
}
