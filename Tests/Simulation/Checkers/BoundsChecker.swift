import Kafka
import Processor
import SimulatedKafka

/// Invariant 10: bounds hold at all times.
struct BoundsChecker {
  private let floor: Int64
  /// By home: where the last checkpoint begins that was begun, and that is whole.
  private var checkpoints: [(begun: Int64, whole: Int64)]

  init(_ scenario: Scenario) {
    floor = scenario.checkpointFloor
    checkpoints = Array(repeating: (0, 0), count: scenario.partitionCount)
  }

  mutating func check(
    _ commit: HomeCommit, service: ServiceTracker, broker: SimulatedBroker
  ) throws(Violation) {
    let place = TopicPartition(topic: "\(Scenario.prefix).state", partition: Int32(commit.home))
    let start = broker.log(place)?.startOffset ?? 0
    try require(
      start <= checkpoints[commit.home].whole, .restore,
      "\(commit.place): the log begins at \(start), before a checkpoint is committed that begins there")
    if commit.header.startsCheckpoint { checkpoints[commit.home].begun = commit.state.offset }
    if commit.header.endsCheckpoint { checkpoints[commit.home].whole = checkpoints[commit.home].begun }
    try require(
      commit.header.byteCount <= TopicPlan.logRecordLimit, .bounds,
      "\(commit.place): the state record has \(commit.header.byteCount) bytes")
    for record in commit.output {
      try require(
        record.record.byteCount <= 320 << 10, .bounds, "\(record.place) has \(record.record.byteCount) bytes")
    }
    try require(
      commit.header.timerClock <= commit.time + service.clockBound + 1_000, .windows,
      "\(commit.place): the timer clock is \(commit.header.timerClock - commit.time) ms ahead of the true time"
    )
  }

  /// The state log is cut: it holds a few times what is live.
  func unsettled(_ broker: SimulatedBroker, _ latest: [StateHeader?]) -> String? {
    for (home, header) in latest.enumerated() {
      let place = TopicPartition(topic: "\(Scenario.prefix).state", partition: Int32(home))
      guard let log = broker.log(place), let header else { continue }
      var bytes: Int64 = 0
      for entry in log.entries { bytes += Int64(entry.record?.byteCount ?? 0) }
      let bound = 4 * max(floor, header.logBytes) + 200_000
      if bytes > bound {
        return "\(place) holds \(bytes) bytes, with \(header.logBytes) since its last checkpoint"
      }
    }
    return nil
  }
}
