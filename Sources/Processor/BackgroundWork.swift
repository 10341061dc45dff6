import Dispatch

/// Work that a worker hands over and does not wait for: questions to the cluster, files. The process has a queue for
/// it; a simulation runs it at an instant of its own choice.
public protocol BackgroundWork: Sendable {
  /// Runs the work later and elsewhere, one piece after another in the order in which they were handed over.
  func run(_ work: @escaping @Sendable () -> Void)
}

/// A queue of its own.
struct BackgroundQueue: BackgroundWork {
  private let queue: DispatchQueue

  init(label: String) { queue = DispatchQueue(label: label) }

  func run(_ work: @escaping @Sendable () -> Void) { queue.async(execute: work) }
}
