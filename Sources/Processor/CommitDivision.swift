/// Whether a commit that deliveries wait for takes all partitions with work, or half of them in turn.
///
/// A partition waits for its turn and then for the outcome: for two commits at most where each takes all of them, for
/// three where each takes half. So halves are worth it where one takes less than two thirds of the time: where brokers
/// have little to do besides, and handle the requests for partitions one by one. Where others keep them busy, half of
/// the partitions take nearly as long as all. It is measured: now and then a commit is of the other kind.
struct CommitDivision {
  /// What the last commits of a kind have taken, in milliseconds.
  private struct Mean {
    private(set) var value = 0.0
    private var count = 0
    var isKnown: Bool { count > 0 }

    /// - Parameter lasting: how many count, about.
    mutating func add(_ time: Double, lasting: Int) {
      count = min(count + 1, lasting)
      value += (time - value) / Double(count)
    }
  }

  /// A half that takes less than so much of the whole is worth it, and is given up where it takes more than that.
  private static let worthwhile = 0.65
  private static let worthless = 0.8

  /// One of so many commits is of the other kind.
  private let trialDistance: Int
  private var whole = Mean()
  private var half = Mean()
  private var isDivided = false
  private var untilTrial = 0

  init(trialDistance: Int) { self.trialDistance = trialDistance }

  /// Whether the next commit takes half of the partitions. To be asked once for each.
  ///
  /// - Parameter apart: what lies between the beginnings of two commits at least, in milliseconds.
  mutating func dividesNext(apart: Int64) -> Bool {
    // Below that, two halves take as long as commits have to be apart: later than all at once.
    guard whole.value > 1.25 * Double(apart) else {
      isDivided = false
      return false
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
  ///   - time: from its beginning, in milliseconds.
  ///   - taken: the partitions whose work it took.
  ///   - deferred: those whose work it left to the next one.
  mutating func confirmed(after time: Int64, taken: Int, deferred: Int) {
    // Few are tries, and what they tell is old before many have told it.
    if deferred == 0 {
      whole.add(Double(time), lasting: isDivided ? 4 : 8)
    } else if taken <= 2 * deferred {
      half.add(Double(time), lasting: isDivided ? 8 : 4)
    } else {
      return
    }
    guard half.isKnown else { return }
    isDivided = half.value < (isDivided ? Self.worthless : Self.worthwhile) * whole.value
  }
}
