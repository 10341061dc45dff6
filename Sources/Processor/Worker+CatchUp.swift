import Logging
import Pipeline

/// What comes too late is said twice, however many they are: when it begins, and when it is over.
extension Worker {
  /// Counts what a confirmed commit of a partition added.
  func countLate(from before: Counters, to after: Counters) {
    guard lateNotifications.take(after.total.caughtUp - before.total.caughtUp, at: monotonic) else { return }
    logger.notice(
      "catching up: what is too late to be delivered at once goes into the digests of the catalog's catchUp")
  }

  /// Says so when it is over.
  func reportCaughtUp() {
    guard let episode = lateNotifications.finished(at: monotonic) else { return }
    logger.notice(
      "caught up",
      metadata: ["notifications": "\(episode.notifications)", "took": "\(episode.length) ms"])
  }
}
