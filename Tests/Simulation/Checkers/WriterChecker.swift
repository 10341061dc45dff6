/// Invariant 8: a home partition has one writer per generation; after a revoke it writes nothing.
struct WriterChecker {
  private struct Worker {
    var owned: Set<Int> = []
    var isRevoking = false
    var sealed: Set<Int> = []
  }

  private var workers: [Int: Worker] = [:]

  mutating func assigned(_ homes: [Int], worker: Int) {
    workers[worker, default: Worker()].owned.formUnion(homes)
  }

  mutating func revoking(worker: Int) { workers[worker, default: Worker()].isRevoking = true }

  /// The partitions are given back.
  mutating func revoked(worker: Int) throws(Violation) {
    let sealed = workers[worker]?.sealed.sorted() ?? []
    workers[worker] = Worker()
    try require(
      sealed.isEmpty, .writer,
      "worker \(worker) gives its partitions back while a transaction with homes \(sealed) is under way")
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
