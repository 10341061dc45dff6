import Kafka
import Processor
import SimulatedKafka

/// Invariant 10: bounds hold at all times. The state log is held against the live state as its shadow knows it, not
/// against what the processor says of itself.
struct BoundsChecker {
  private struct Log {
    /// Where the last checkpoint begins that was begun, and the last that is whole.
    var begun: Int64 = 0
    var whole: Int64 = 0
    /// When that one became whole.
    var wholeAt: Int64 = 0
    /// Bytes of records, without slices, since those beginnings.
    var sinceBegun: Int64 = 0
    var sinceWhole: Int64 = 0
    /// Commits that the checkpoint under way has taken; nil where none is.
    var checkpointCommits: Int?
    /// The live state in bytes, as it was measured last.
    var live: Int64 = 0
  }

  /// What a live state has in memory besides: ids that have expired in shards too small to be swept.
  private static let allowance: Int64 = 40_000

  private let floor: Int64
  private let slice: Int64
  private let patience: Int64
  private var logs: [Log]

  init(_ scenario: Scenario) {
    floor = scenario.checkpointFloor
    slice = scenario.checkpointSlice
    // DeleteRecords is asked once, for ten seconds.
    patience = 10_000 + scenario.faults.latencies.background.upperBound + scenario.faults.slack
    logs = Array(repeating: Log(), count: scenario.partitionCount)
  }

  /// - Parameter live: measures the live state in bytes.
  mutating func check(
    _ commit: HomeCommit, service: ServiceTracker, broker: SimulatedBroker, live: () -> Int64
  ) throws(Violation) {
    let start = Self.start(of: commit.home, broker)
    try require(
      start <= logs[commit.home].whole, .restore,
      "\(commit.place): the log begins at \(start), before a checkpoint is committed that begins there")
    try checkLog(commit, live: live)
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

  /// A checkpoint begins once the log has outgrown the live state, and it ends.
  private mutating func checkLog(_ commit: HomeCommit, live: () -> Int64) throws(Violation) {
    var log = logs[commit.home]
    defer { logs[commit.home] = log }
    let header = commit.header
    let bytes = Int64(header.byteCount - header.sliceBytes)
    log.sinceWhole += bytes
    if header.startsCheckpoint {
      log.begun = commit.state.offset
      log.sinceBegun = 0
      log.checkpointCommits = 0
    }
    log.sinceBegun += bytes
    if let commits = log.checkpointCommits { log.checkpointCommits = commits + 1 }
    if header.endsCheckpoint {
      log.whole = log.begun
      log.wholeAt = commit.time
      log.sinceWhole = log.sinceBegun
      log.checkpointCommits = nil
    }
    func isWithin(_ log: Log) -> Bool {
      if let commits = log.checkpointCommits {
        return Int64(commits) <= 16 + 4 * (log.live + Self.allowance) / slice
      }
      return log.sinceWhole <= 2 * max(floor, log.live) + Self.allowance + bytes
    }
    // The next one begins with the record after.
    guard !header.endsCheckpoint, !isWithin(log) else { return }
    log.live = live()
    try require(
      isWithin(log), .bounds,
      "\(commit.place): the log has \(log.sinceWhole) bytes since the beginning of its last checkpoint, with "
        + "\(log.live) bytes of live state, and "
        + (log.checkpointCommits.map { "a checkpoint goes on for \($0) commits" } ?? "no checkpoint begins"))
  }

  /// What a whole checkpoint has made superfluous is deleted.
  func checkTruncated(now: Int64, service: ServiceTracker, broker: SimulatedBroker) throws(Violation) {
    for (home, log) in logs.enumerated() where service.lastFaultEnd < log.wholeAt {
      let start = Self.start(of: home, broker)
      try require(
        start >= log.whole || now <= log.wholeAt + patience, .bounds,
        "home \(home): the state log still begins at \(start), \(now - log.wholeAt) ms after a checkpoint became whole "
          + "that begins at \(log.whole)")
    }
  }

  private static func start(of home: Int, _ broker: SimulatedBroker) -> Int64 {
    broker.log(TopicPartition(topic: "\(Scenario.prefix).state", partition: Int32(home)))?.startOffset ?? 0
  }
}
