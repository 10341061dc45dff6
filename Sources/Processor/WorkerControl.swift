import Policy
import Synchronization

/// How others tell workers to stop, and by which catalog to decide. The only thing that crosses to a worker's thread.
package final class WorkerControl: Sendable {
  private let stopping = Atomic<Bool>(false)
  /// How many catalogs workers were given since their start.
  private let catalogCount = Atomic<Int>(0)
  private let newest = Mutex<Catalog?>(nil)

  /// Nobody has said so yet.
  package init() {}

  /// Whether workers are to end: finish the commit under way, commit what is applied, leave the group.
  var isStopping: Bool { stopping.load(ordering: .relaxed) }

  package func stop() { stopping.store(true, ordering: .relaxed) }

  /// Lets every worker decide by another catalog, from its next turn on.
  package func use(_ catalog: Catalog) {
    newest.withLock {
      $0 = catalog
      catalogCount.add(1, ordering: .relaxed)
    }
  }

  /// The newest catalog, where there is one that the caller has not seen; costs next to nothing where there is none.
  ///
  /// - Parameter seen: the number of those that it has seen, 0 at its start.
  func catalog(after seen: inout Int) -> Catalog? {
    guard catalogCount.load(ordering: .relaxed) != seen else { return nil }
    return newest.withLock {
      seen = catalogCount.load(ordering: .relaxed)
      return $0
    }
  }
}
