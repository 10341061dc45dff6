/// Knows from when on every home partition has been decided by a worker that nothing held up, so that lateness can be
/// judged: within a second while its worker lives, within the bound of design §5.7 after the last fault.
final class ServiceTracker {
  /// Session time-out, transaction time-out, the broker's scan, and the restart and restore of a worker.
  static let recoveryBound: Int64 = 10_000 + 10_000 + 10_000 + 5_000

  /// What a commit may take on top of the second, by the faults that are on all the time.
  var slack: Int64 = 0
  /// The farthest that a timer clock may be ahead of or behind the true time.
  var clockBound: Int64 = 0

  private struct Home {
    /// The worker that decides, and since when.
    var owner: Int?
    var since: Int64 = 0
  }

  private var homes: [Home]
  /// When each worker was last held up by the simulation.
  private var heldUp: [Int: Int64] = [:]
  /// The end of the last fault.
  private(set) var lastFaultEnd: Int64
  private var isShuttingDown = false

  init(partitionCount: Int, start: Int64) {
    homes = Array(repeating: Home(), count: partitionCount)
    lastFaultEnd = start
  }

  /// A fault lasts until `end`.
  func disturbed(until end: Int64) { lastFaultEnd = max(lastFaultEnd, end) }

  func decides(_ home: Int, worker: Int, now: Int64) { homes[home] = Home(owner: worker, since: now) }

  /// The worker does not decide the home any more, or for the moment.
  func stops(_ home: Int, worker: Int) {
    if homes[home].owner == worker { homes[home].owner = nil }
  }

  func ends(worker: Int) {
    for home in homes.indices { stops(home, worker: worker) }
  }

  /// The simulation itself held the worker up until now.
  func heldUp(worker: Int, until now: Int64) { heldUp[worker] = max(now, heldUp[worker] ?? 0) }

  /// From when on a window that was due at `due` counts as late; nil where its partition is not served.
  func lateFrom(_ home: Int, due: Int64) -> Int64? {
    guard let owner = homes[home].owner else { return nil }
    return max(due, homes[home].since, heldUp[owner] ?? 0, lastFaultEnd) + 1000 + slack + clockBound
  }

  /// The instant from which on nothing may be unserved: the bound after the last fault.
  func unservedFrom(due: Int64) -> Int64 {
    max(due, lastFaultEnd) + Self.recoveryBound + slack + clockBound
  }

  /// Every home is decided by somebody.
  var isServed: Bool { homes.allSatisfy { $0.owner != nil } }

  /// The homes that nobody decides.
  var unserved: [Int] { homes.indices.filter { homes[$0].owner == nil } }
}
