import Synchronization

/// How others tell workers to stop. The only thing that crosses to a worker's thread.
package final class WorkerControl: Sendable {
  private let stopping = Atomic<Bool>(false)

  /// Nobody has said so yet.
  package init() {}

  /// Whether workers are to end: finish the commit under way, commit what is applied, leave the group.
  var isStopping: Bool { stopping.load(ordering: .relaxed) }

  package func stop() { stopping.store(true, ordering: .relaxed) }
}
