/// Knows from when on every home partition has been decided by a worker that nothing held up, so that lateness can be
/// judged: within a second while its worker lives, within the bound of design §5.7 after the last fault.
final class ServiceTracker {
  /// Session time-out, transaction time-out, the broker's scan, and the restart and restore of a worker.
  static let recoveryBound: Int64 = 10_000 + 10_000 + 10_000 + 5_000

  /// How long a burst waits for its turn at most, where limits let only a few records into a commit.
  static let backlogBound: Int64 = 30_000

  /// What a commit may take on top of the second, by the faults that are on all the time.
  var slack: Int64 = 0
  /// The farthest that a timer clock may be ahead of or behind the true time.
  var clockBound: Int64 = 0

  private struct Home {
    /// The workers that decide: one, and perhaps one more that does not know yet that the group has lost it.
    var owners: [Int] = []
    /// Since when the last of them does.
    var since: Int64 = 0
  }

  private var homes: [Home]
  /// When each worker was last held up by the simulation.
  private var heldUp: [Int: Int64] = [:]
  /// The end of the last fault.
  private(set) var lastFaultEnd: Int64

  init(partitionCount: Int, start: Int64) {
    homes = Array(repeating: Home(), count: partitionCount)
    lastFaultEnd = start
  }

  /// A fault lasts until `end`.
  func disturbed(until end: Int64) { lastFaultEnd = max(lastFaultEnd, end) }

  func decides(_ home: Int, worker: Int, now: Int64) {
    homes[home].owners.removeAll { $0 == worker }
    homes[home].owners.append(worker)
    homes[home].since = now
  }

  /// The worker does not decide the home any more, or for the moment.
  func stops(_ home: Int, worker: Int) {
    homes[home].owners.removeAll { $0 == worker }
  }

  func ends(worker: Int) {
    for home in homes.indices { stops(home, worker: worker) }
  }

  /// The simulation itself held the worker up until now.
  func heldUp(worker: Int, until now: Int64) { heldUp[worker] = max(now, heldUp[worker] ?? 0) }

  /// From when on a window that was due at `due` counts as late; nil where its partition is not served.
  func lateFrom(_ home: Int, due: Int64) -> Int64? {
    guard homes[home].owners.count == 1, let owner = homes[home].owners.first else { return nil }
    return max(due, homes[home].since, heldUp[owner] ?? 0, lastFaultEnd) + 1000 + slack + clockBound
  }

  /// A record that is consumed by a worker which lives does not wait for longer than a backlog takes.
  func checkDecided(_ record: InputFact, _ home: Int, at now: Int64) throws(Violation) {
    guard let late = lateFrom(home, due: record.appended) else { return }
    try require(
      now <= late + Self.backlogBound + slack, .bounds,
      "home \(home): the record at \(record.offset), appended at \(record.appended), is not decided before \(now), "
        + "by a worker that lives")
  }

  /// Since when the home is decided by the last worker that began to.
  func since(_ home: Int) -> Int64 { homes[home].since }

  /// The instant from which on nothing may be unserved: the bound after the last fault.
  func unservedFrom(due: Int64) -> Int64 {
    max(due, lastFaultEnd) + Self.recoveryBound + slack + clockBound
  }

  /// Whether somebody decides the home.
  func isDecided(_ home: Int) -> Bool { !homes[home].owners.isEmpty }

  /// Every home is decided by somebody.
  var isServed: Bool { homes.allSatisfy { !$0.owners.isEmpty } }

  /// The homes that nobody decides.
  var unserved: [Int] { homes.indices.filter { homes[$0].owners.isEmpty } }
}
