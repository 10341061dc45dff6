import Contract

/// Where deliveries of one channel go: a mail server, a push service.
///
/// The runtime calls it from several tasks at once, never twice at once for the same recipient. A delivery may come
/// again after a crash, a rebalance or an uncertain outcome: the delivery's id is what tells repeats.
public protocol DeliverySink: Sendable {
  /// Hands one delivery over and says what became of it. Must end by itself: the sink sets its own time-outs.
  func deliver(_ delivery: Delivery) async -> DeliveryOutcome

  /// Frees connections and threads. Called at most once, when no delivery is in progress and none will follow; not where
  /// one is still in progress when the sink's process is to end.
  func close() async
}

/// What became of one attempt to hand a delivery over.
public enum DeliveryOutcome: Equatable, Sendable {
  /// Handed over; the detail is what the other side said.
  case delivered(detail: String)
  /// Refused for now, and because of this delivery: tried again after a while, a bounded number of times.
  case transient(reason: String)
  /// Refused for good: goes to the dead letters.
  case permanent(reason: String)
  /// Nothing can be handed over at present: all deliveries wait, and this one is not blamed, unless others pass while it
  /// meets the same again.
  case unavailable(reason: String)
}
