import SeededTesting
import SimulatedKafka

/// Which faults a run has and how often: each seed has some of them, so that every kind is also seen alone.
struct FaultProfile {
  /// What may happen at an instant.
  enum Kind: String, CaseIterable {
    case crash, crashAtStep, stop, scale, freezeProcess, stallThread, brokersDown, groupCoordinatorAway
    case transactionCoordinatorAway, stuckPartition, slowPartition, clockJump, retention, compaction
    case offsetExpiry, deploy, outage, groupReset, reload
    case crashAfterSnapshot, abortInSnapshot
    case additionsForbidden

    /// Those that need snapshots are drawn for the runs that write them, and others by themselves (`Scenario`).
    static let general = allCases.filter {
      ![.crashAfterSnapshot, .abortInSnapshot, .additionsForbidden].contains($0)
    }
  }

  /// What happens at all.
  var kinds: [Kind]
  /// The mean distance between two faults, in milliseconds.
  var meanDistance: Int64
  /// What goes wrong all the time.
  var background = BrokerFaults()
  var latencies = Latencies()

  static func draw(_ random: inout SeededGenerator) -> FaultProfile {
    func chance(_ probability: Double) -> Bool { Double.random(in: 0..<1, using: &random) < probability }
    func pick<Value>(_ values: [Value]) -> Value { values[Int.random(in: 0..<values.count, using: &random)] }
    let share = pick([0.0, 0.15, 0.35, 0.6, 1.0])
    var profile = FaultProfile(
      kinds: Kind.general.filter { _ in chance(share) }, meanDistance: pick([800, 2_500, 6_000]))
    if chance(0.25) { profile.background.requestLoss = 0.01 }
    if chance(0.25) { profile.background.replyLoss = 0.01 }
    if chance(0.4) {
      profile.background.lateMarkers = pick([0.05, 0.3])
      profile.background.lateMarker = pick([100...3_000, 50...400])
    }
    if chance(0.4) { profile.background.offsetsFirst = pick([0.2, 1.0]) }
    if chance(0.2) { profile.background.endTransactionReplyLoss = 0.03 }
    if chance(0.3) { profile.latencies.network = 0...8 }
    if chance(0.3) { profile.latencies.background = 0...4_000 }
    if chance(0.4) { profile.latencies.maxPollInterval = 12_000 }
    if chance(0.3) { profile.latencies.initialRebalanceDelay = 3_000 }
    if chance(0.1) {
      profile.background.unknownOutcomes = 0.005
      profile.background.silence = 1_000...14_000
    }
    return profile
  }

  /// How much longer than a second a commit may take because of the faults that are on all the time.
  var slack: Int64 {
    var slack: Int64 = 500 + 40 * latencies.network.upperBound + 100 * latencies.append
    // A transaction waits for the markers of the one before, and so did that one; partitions' markers may come behind
    // those of the offsets.
    if background.lateMarkers > 0 {
      slack += (background.offsetsFirst > 0 ? 4 : 2) * background.lateMarker.upperBound
    }
    if background.requestLoss + background.replyLoss + background.endTransactionReplyLoss > 0 {
      slack += 4_000
    }
    // The transaction of one worker holds up those that read what it wrote.
    if background.unknownOutcomes > 0 { slack += background.silence.upperBound + 6_000 }
    return slack
  }

  /// Whether nothing ever ends a client.
  var isHarmless: Bool {
    kinds.isEmpty && background.requestLoss + background.replyLoss + background.unknownOutcomes == 0
      && background.endTransactionReplyLoss == 0
  }

  var summary: String {
    kinds.isEmpty ? "no faults at an instant" : "faults: \(kinds.map(\.rawValue).joined(separator: ", "))"
  }
}
