/// Invariant 8: a home partition has one writer per generation; after a revoke it writes nothing.
struct WriterChecker {
  private struct Worker {
    var owned: Set<Int> = []
    var isRevoking = false
    var sealed: Set<Int> = []
    /// What was under way when the partitions were given back. Only a worker that ends may leave it so.
    var left: Set<Int> = []
    /// What it decides, with the ends of the tables of recipients and audiences when that began.
    var decides: [Int: [Int64]] = [:]
    /// What it decided when it began the transaction under way.
    var begun: Set<Int> = []
  }

  private var workers: [Int: Worker] = [:]

  mutating func assigned(_ homes: [Int], worker: Int) throws(Violation) {
    let left = workers[worker]?.left.sorted() ?? []
    try require(
      left.isEmpty, .writer,
      "worker \(worker) gave its partitions back while a transaction with homes \(left) was under way")
    workers[worker, default: Worker()].owned.formUnion(homes)
  }

  mutating func revoking(worker: Int) { workers[worker, default: Worker()].isRevoking = true }

  /// The partitions are given back.
  mutating func revoked(worker: Int) {
    let sealed = workers[worker]?.sealed ?? []
    workers[worker] = Worker(left: sealed)
  }

  mutating func sealed(worker: Int, home: Int) throws(Violation) {
    let state = workers[worker] ?? Worker()
    try require(
      !state.isRevoking, .writer, "worker \(worker) begins a transaction with home \(home) during a revoke")
    try require(
      state.owned.contains(home), .writer, "worker \(worker) writes for home \(home), which it does not own")
    if state.sealed.isEmpty { workers[worker]?.begun = Set(state.decides.keys) }
    workers[worker]?.sealed.insert(home)
  }

  /// The worker decides the home from here on.
  ///
  /// - Parameter tableEnds: where the topics of the tables end at this instant.
  mutating func decides(_ home: Int, worker: Int, tableEnds: [Int64]) {
    workers[worker]?.decides[home] = tableEnds
  }

  /// The home is back at its last confirmed commit. If that lies within a table, the worker reads the tables again
  /// before it goes on deciding.
  mutating func rolledBack(_ home: Int, worker: Int, tables positions: [Int64]) {
    settled(worker: worker, home: home)
    guard let ends = workers[worker]?.decides[home] else { return }
    if zip(positions, ends).contains(where: { $0 < $1 }) { workers[worker]?.decides[home] = nil }
  }

  /// The homes that the worker decided when it began the transaction under way.
  func decided(worker: Int) -> Set<Int> { workers[worker]?.begun ?? [] }

  /// The outcome of the home's last batch is known to the worker.
  mutating func settled(worker: Int, home: Int) { workers[worker]?.sealed.remove(home) }

  /// The worker knows that it cannot know the outcome, and has dropped everything.
  mutating func dropped(worker: Int) {
    workers[worker]?.sealed = []
    workers[worker]?.decides = [:]
  }
}
