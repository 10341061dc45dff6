/// A load whose instructions are counted from outside: all types of event, with windows that open and close, at the same
/// size every time and small enough for a processor that is emulated.
package enum CountedLoad {
  /// Events before those that are counted, so that windows close as fast as they open.
  private static let warmUp = 20_000
  /// Events in a second of the clock: windows of five seconds close four times before any event is counted.
  private static let eventsPerSecond = 1_000
  /// As many for each event as in the load of the other benchmarks, so that windows hold as much.
  private static let recipients = EventLoad.recipientCount / (100_000 / eventsPerSecond)

  /// Puts so many events through the state machines, behind others that are the same for every number.
  ///
  /// - Returns: how often they asked for memory; nil where the allocator does not count.
  package static func run(events: Int) throws -> Int64? {
    let load = PipelineLoad(
      kind: .mixed, ids: 10_000, windows: 0, events: events, warmUp: warmUp,
      eventsPerSecond: eventsPerSecond, recipients: recipients, partitions: 4, seed: 1)
    return try PipelineStep(load).run { _ in }.allocations
  }
}
