import Synchronization

/// When the thread that owns a member of a group last came round its loop.
///
/// The broker does not miss such a thread before `max.poll.interval.ms`, and everything that the thread says of itself
/// stands as it was: only the age of its last word tells that it hangs. One thread beats, any may ask.
public final class Pulse: Sendable {
  private let last = Mutex<SuspendingClock.Instant?>(nil)
  private let now: @Sendable () -> SuspendingClock.Instant

  /// A pulse that nothing is expected of before its first beat.
  ///
  /// - Parameter now: the time, which stands still while the machine sleeps, as the thread does.
  public init(now: @escaping @Sendable () -> SuspendingClock.Instant = { .now }) { self.now = now }

  /// The thread has come round.
  public func beat() {
    let now = now()
    last.withLock { $0 = now }
  }

  /// The thread ends: nothing is expected of it any more.
  public func stop() { last.withLock { $0 = nil } }

  /// How long ago the last beat was; nil where none is expected.
  public var silence: Duration? {
    let now = now()
    return last.withLock { $0.map { $0.duration(to: now) } }
  }
}
