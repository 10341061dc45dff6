/// Invariant 8: a home partition has one writer per generation; after a revoke it writes nothing.
struct WriterChecker {
  private struct Worker {
    var owned: Set<Int> = []
    var isRevoking = false
    var sealed: Set<Int> = []
    /// What was under way when the partitions were given back. Only a worker that ends may leave it so.
    var left: Set<Int> = []
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
    workers[worker, default: Worker()].sealed.insert(home)
  }

  /// The outcome of the home's last batch is known to the worker.
  mutating func settled(worker: Int, home: Int) { workers[worker]?.sealed.remove(home) }

  /// The worker knows that it cannot know the outcome, and has dropped everything.
  mutating func dropped(worker: Int) { workers[worker]?.sealed = [] }
}
