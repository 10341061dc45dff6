import Foundation
import KafkaConformance
import Synchronization

/// Asks all behaviours of clusters in real time, some at once: most of the time they wait.
///
/// - Returns: what each ended with, in their order; nil where it is so.
func checkAll(
  lanes: Int, without left: Set<String> = [],
  _ makePlatform: @escaping @Sendable () throws -> any KafkaUnderTest
) async -> [(behaviour: Behaviour, failure: String?)] {
  let behaviours = Behaviour.all
  let next = Atomic<Int>(0)
  let failures = Mutex<[Int: String]>([:])
  await withCheckedContinuation { (continuation: CheckedContinuation<Void, Never>) in
    let running = Atomic<Int>(lanes)
    for _ in 0..<lanes {
      // A thread of its own: the checks block, and would starve the pool of the tasks.
      Thread.detachNewThread {
        while true {
          let index = next.add(1, ordering: .relaxed).oldValue
          guard index < behaviours.count else { break }
          guard !left.contains(behaviours[index].id) else { continue }
          do {
            try behaviours[index].check(try makePlatform())
          } catch {
            failures.withLock { $0[index] = "\(error)" }
          }
        }
        if running.subtract(1, ordering: .acquiringAndReleasing).newValue == 0 { continuation.resume() }
      }
    }
  }
  return behaviours.enumerated().map { index, behaviour in (behaviour, failures.withLock { $0[index] }) }
}
