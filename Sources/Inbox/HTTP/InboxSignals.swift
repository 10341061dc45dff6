import Metrics
import Synchronization

/// Wakes those who follow an inbox when it has changed. May be called from any thread.
///
/// A signal carries nothing: whoever is woken reads the changes from the database behind the last one that it
/// knows. So nothing is kept per client, however slow it is, and any number of signals is as good as the
/// last.
public final class InboxSignals: Sendable {
  private struct State {
    var followers: [InboxRecipient: [Int: AsyncStream<Void>.Continuation]] = [:]
    var count = 0
    var lastID = 0
    var isClosed = false
  }

  private let state = Mutex(State())
  private let limit: Int
  private let gauge = Gauge(label: "tidings_inbox_event_streams")

  /// Signals without followers.
  ///
  /// - Parameter limit: the most followers at a time.
  public init(limit: Int = 10_000) { self.limit = limit }

  /// How many follow an inbox.
  public var followerCount: Int { state.withLock { $0.count } }

  /// Wakes the followers of these inboxes.
  public func notify(_ recipients: some Sequence<InboxRecipient>) {
    state.withLock { state in
      guard state.count > 0 else { return }
      for recipient in recipients {
        state.followers[recipient]?.values.forEach { $0.yield() }
      }
    }
  }

  /// Wakes all followers: each says to its client that the connection lives.
  func notifyAll() {
    state.withLock { state in
      for inbox in state.followers.values { inbox.values.forEach { $0.yield() } }
    }
  }

  /// Ends all followers, and refuses further ones.
  func close() {
    let followers = state.withLock { state in
      state.isClosed = true
      return state.followers.values.flatMap(\.values)
    }
    followers.forEach { $0.finish() }
  }

  /// A stream of signals for an inbox, which begins with the first change after this call.
  ///
  /// - Returns: nil when there are as many followers as allowed, or the server stops.
  func follow(_ recipient: InboxRecipient) -> AsyncStream<Void>? {
    let (stream, continuation) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
    let added: (id: Int, count: Int)? = state.withLock { state in
      guard !state.isClosed, state.count < limit else { return nil }
      state.lastID += 1
      state.count += 1
      state.followers[recipient, default: [:]][state.lastID] = continuation
      return (state.lastID, state.count)
    }
    guard let added else { return nil }
    gauge.record(added.count)
    continuation.onTermination = { [weak self] _ in self?.remove(added.id, of: recipient) }
    return stream
  }

  private func remove(_ id: Int, of recipient: InboxRecipient) {
    let count = state.withLock { state in
      if state.followers[recipient]?.removeValue(forKey: id) != nil { state.count -= 1 }
      if state.followers[recipient]?.isEmpty == true { state.followers[recipient] = nil }
      return state.count
    }
    gauge.record(count)
  }
}
