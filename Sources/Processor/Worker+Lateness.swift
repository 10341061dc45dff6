import Logging
import Pipeline

/// Notifications that come too late to be delivered at once, from the first until for a while there were none.
struct LatenessEpisode {
  /// In monotonic milliseconds.
  var started: Int64
  var last: Int64
  /// Those that went into a digest by the catalog's `catchUp`.
  var notifications: Int64
}

/// What comes too late is said twice, however many they are: when it begins, and when it is over (docs/catalog.md).
extension Worker {
  /// How long nothing may have been late, in milliseconds, for it to be over.
  private static var quietTime: Int64 { 60_000 }

  /// Counts what a confirmed commit of a partition added.
  func countLateness(from before: Counters, to after: Counters) {
    let added = after.total.caughtUp - before.total.caughtUp
    guard added > 0 else { return }
    if lateness == nil {
      logger.notice(
        "catching up: what is too late to be delivered at once goes into the digests of the catalog's catchUp"
      )
    }
    let known = lateness ?? LatenessEpisode(started: monotonic, last: monotonic, notifications: 0)
    lateness = LatenessEpisode(
      started: known.started, last: monotonic, notifications: known.notifications + added)
  }

  /// Says so when it is over.
  func endLateness() {
    guard let episode = lateness, monotonic - episode.last >= Self.quietTime else { return }
    lateness = nil
    logger.notice(
      "caught up",
      metadata: [
        "notifications": "\(episode.notifications)", "took": "\(episode.last - episode.started) ms",
      ])
  }
}
