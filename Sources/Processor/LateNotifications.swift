/// Notifications that come too late to be delivered at once (docs/catalog.md): from the first until for a while there were
/// none, they are one episode.
struct LateNotifications: Equatable {
  /// An episode that is over.
  struct Episode: Equatable {
    /// Those that went into a digest by the catalog's `catchUp`.
    var notifications: Int64
    /// From the commit with the first to that with the last, in milliseconds.
    var length: Int64
  }

  /// How long none may have come, in milliseconds, for an episode to be over.
  static let pause: Int64 = 60_000

  /// When the episode began, and when its last ones came, in monotonic milliseconds; nil where there is none.
  private var span: ClosedRange<Int64>?
  private var count: Int64 = 0

  /// Counts those of a confirmed commit.
  ///
  /// - Parameter now: in monotonic milliseconds.
  /// - Returns: whether an episode begins with them.
  mutating func take(_ added: Int64, at now: Int64) -> Bool {
    guard added > 0 else { return false }
    count += added
    let began = span?.lowerBound
    span = (began ?? now)...now
    return began == nil
  }

  /// The episode, if it is over at an instant in monotonic milliseconds; it is told once.
  mutating func finished(at now: Int64) -> Episode? {
    guard let span, now - span.upperBound >= Self.pause else { return nil }
    let episode = Episode(notifications: count, length: span.upperBound - span.lowerBound)
    self = LateNotifications()
    return episode
  }
}
