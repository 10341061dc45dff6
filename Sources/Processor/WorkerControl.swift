import Synchronization

/// How others tell workers to stop. The only thing that crosses to a worker's thread.
final class WorkerControl: Sendable {
  private let stopping = Atomic<Bool>(false)

  /// Whether workers are to end: finish the commit under way, commit what is applied, leave the group.
  var isStopping: Bool { stopping.load(ordering: .relaxed) }

  func stop() { stopping.store(true, ordering: .relaxed) }
}
