/// The invariants of design §9, by their numbers there, and what else must not happen.
public enum Invariant: Int, CaseIterable, Sendable {
  /// The conservation law holds at every confirmed commit.
  case conservation = 1
  /// No two committed deliveries hold the same (event, recipient, channel), and none is missing.
  case onceOnly = 2
  /// One digest per window, not before it is due, and not late.
  case windows = 3
  /// Items in the order of the home partition, digests in window order.
  case order = 4
  /// Committed offsets never go back, and equal what the state's header says.
  case offsets = 5
  /// Restored state equals the last owner's memory, and a replay of the recorded calls gives the same.
  case restore = 6
  /// Aborted work leaves no trace.
  case abort = 7
  /// A home partition has one writer per generation; after a revoke it writes nothing.
  case writer = 8
  /// Every delivery names the catalog and the recipient record that it was decided with.
  case provenance = 9
  /// Bounds hold at all times; once faults stop, lag goes to 0.
  case bounds = 10
  /// A worker ended with an error that nothing in the run explains.
  case unexpectedFault = 11

  /// The number and the words of the design, in short.
  public var title: String {
    switch self {
    case .conservation: "1 conservation law"
    case .onceOnly: "2 each delivery once"
    case .windows: "3 one digest per window, in time"
    case .order: "4 order"
    case .offsets: "5 offsets agree with the header"
    case .restore: "6 restored state is the last owner's"
    case .abort: "7 aborted work leaves no trace"
    case .writer: "8 one writer per partition"
    case .provenance: "9 catalog and recipient record named"
    case .bounds: "10 bounds and liveness"
    case .unexpectedFault: "a worker ended with an unexpected error"
    }
  }
}

/// What broke, when and where.
public struct Violation: Error, CustomStringConvertible, Sendable {
  /// The invariant that does not hold.
  public let invariant: Invariant
  /// Topic, partition, offsets, ids: what a person needs to find it in the trace.
  public let detail: String

  init(_ invariant: Invariant, _ detail: String) {
    self.invariant = invariant
    self.detail = detail
  }

  /// The invariant and the detail.
  public var description: String { "invariant \(invariant.title): \(detail)" }
}

/// Throws unless the condition holds.
func require(
  _ condition: Bool, _ invariant: Invariant, _ detail: @autoclosure () -> String
) throws(Violation) {
  if !condition { throw Violation(invariant, detail()) }
}
