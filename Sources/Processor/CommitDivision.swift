/// Whether a commit that deliveries wait for takes all partitions with work, or half of them in turn.
///
/// A partition waits for its turn and then for the outcome: for two commits at most where each takes all of them, for
/// three where each takes half. So halves are worth it where one takes less than two thirds of the time: where brokers
/// have little to do besides, and handle the requests for partitions one by one. Where others keep them busy, half of
/// the partitions take nearly as long as all. So it is measured: a line is fitted through what the last commits took by
/// their partitions, and now and then one is of the other kind.
struct CommitDivision {
  /// A half that takes less than so much of the whole is worth it, and is given up where it takes more than that.
  private static let worthwhile = 0.65
  private static let worthless = 0.7
  /// So many commits count, about: a few seconds of them.
  private static let memory = 48.0
  /// One that took longer was held up by something else, in milliseconds; so was one that took twice what was expected.
  private static let longest = 1_000.0

  /// One of so many commits is of the other kind.
  private let trialDistance: Int
  private var untilTrial = 0
  private var isDivided = false

  // Means over the last commits.
  private var count = 0.0
  private var partitions = 0.0
  private var time = 0.0
  private var squaredPartitions = 0.0
  private var timesPartitions = 0.0

  init(trialDistance: Int) { self.trialDistance = trialDistance }

  /// Milliseconds that a partition adds; nil while all commits had about as many.
  private var slope: Double? {
    let variance = squaredPartitions - partitions * partitions
    return variance > 0.25 ? max(0, (timesPartitions - partitions * time) / variance) : nil
  }

  /// What a commit of so many partitions takes, in milliseconds.
  private func expected(_ taken: Double) -> Double { max(0, time + (slope ?? 0) * (taken - partitions)) }

  /// Whether the next commit takes half of the partitions. To be asked once for each.
  ///
  /// - Parameters:
  ///   - waiting: the partitions with work.
  ///   - apart: what lies between the beginnings of two commits at least, in milliseconds.
  mutating func dividesNext(waiting: Int, apart: Int64) -> Bool {
    let whole = expected(Double(waiting))
    // Below that, two halves take as long as commits have to be apart: later than all at once.
    guard whole > 1.25 * Double(apart) else {
      isDivided = false
      return false
    }
    if slope != nil {
      let half = expected(Double(waiting) / 2)
      isDivided = half < (isDivided ? Self.worthless : Self.worthwhile) * whole
    }
    guard untilTrial > 0 else {
      untilTrial = trialDistance - 1
      return !isDivided
    }
    untilTrial -= 1
    return isDivided
  }

  /// A commit that deliveries waited for was confirmed.
  ///
  /// - Parameters:
  ///   - milliseconds: from its beginning.
  ///   - taken: the partitions whose work it took.
  mutating func confirmed(after milliseconds: Int64, taken: Int) {
    let taken = Double(taken)
    let usual = count < 4 ? Self.longest : 2 * max(5, expected(taken))
    let spent = min(Double(milliseconds), Self.longest, usual)
    count = min(count + 1, Self.memory)
    partitions += (taken - partitions) / count
    time += (spent - time) / count
    squaredPartitions += (taken * taken - squaredPartitions) / count
    timesPartitions += (taken * spent - timesPartitions) / count
  }
}
