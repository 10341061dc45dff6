import Contract

/// What was published, counted as the processor will see it.
struct PublishTotals: Equatable, Sendable {
  /// Distinct events: (tenant, source, id).
  var events = 0
  /// Distinct notifications: (tenant, source, id, recipient).
  var notifications = 0
  /// Notifications beyond the first of their identity.
  var repeatedNotifications = 0
  /// Records sent, repeats included.
  var records = 0
  /// Whether repeats were told from new ones to the end.
  var isExact = true
}

/// Counts what is published, and knows by their ids what was there before.
struct PublishCounter {
  /// Above so many distinct notifications, repeats are no longer told from new ones: their ids would take too much
  /// memory (about 32 bytes each).
  static let exactLimit = 8_000_000

  /// The counts so far.
  private(set) var totals = PublishTotals()

  private var events: Set<Hash128> = []
  private var notifications: Set<Hash128> = []

  /// Counts an event that was sent.
  mutating func count(_ event: EventView) {
    totals.records += 1
    // An event's identity is that of a notification for nobody: no recipient is empty.
    if isNew(event, recipient: .empty, in: \.events) { totals.events += 1 }
    for recipient in event.recipients {
      if isNew(event, recipient: recipient, in: \.notifications) {
        totals.notifications += 1
      } else {
        totals.repeatedNotifications += 1
      }
    }
  }

  private mutating func isNew(
    _ event: EventView, recipient: ByteView, in known: WritableKeyPath<PublishCounter, Set<Hash128>>
  ) -> Bool {
    let id = NotificationID.hash(
      tenant: event.tenant, source: event.source, id: event.id, recipient: recipient)
    guard self[keyPath: known].count < Self.exactLimit else {
      totals.isExact = false
      return !self[keyPath: known].contains(id)
    }
    return self[keyPath: known].insert(id).inserted
  }
}
