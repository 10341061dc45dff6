import Contract
import Policy
import Replay

/// One run of `tidings simulate`: reads the files, replays the history under each catalog, and shows how far it is.
struct SimulationRun {
  private let options: ReplayOptions

  init(_ options: ReplayOptions) { self.options = options }

  /// - Parameter catalogs: the one to try, and perhaps another to compare it with.
  func report(
    _ history: History, from input: String, recipients: String?, subscriptions: String?,
    catalogs: [(file: String, catalog: Catalog)],
    progress: inout ProgressBar
  ) throws -> ReplayReport {
    let audiences = try subscriptions.map { try readSubscriptions($0) }
    let people =
      try recipients.map { try readRecipients($0) } ?? ReplayRecipients(assumedFor: history, audiences)
    var runs: [ReplayReport.Run] = []
    for (file, catalog) in catalogs {
      let replay = try Replay(
        history, recipients: people, subscriptions: audiences, catalog: catalog, options: options)
      let done = runs.count * history.eventCount
      let total = max(1, catalogs.count * history.eventCount)
      let outcome = try replay.run { count in
        guard progress.isDue else { return }
        progress.show(
          share: Double(done + count) / Double(total), text: "\((done + count).counted("event")) replayed",
          count: done + count)
      }
      runs.append(ReplayReport.Run(file: file, outcome: outcome))
    }
    return ReplayReport(
      input: input, history: history.summary, recipients: people.summary,
      options: options, run: runs[0],
      against: runs.count > 1 ? runs[1] : nil)
  }

  /// The history in a file, or in standard input for `-`.
  func read(_ path: String, _ progress: inout ProgressBar) throws -> History {
    var lines = try LineReader(path: path, limit: options.recordLimit)
    var builder = try HistoryBuilder(recordLimit: options.recordLimit)
    while let line = try lines.next() {
      try builder.add(line.bytes, isCut: line.isCut, number: line.number)
      if progress.isDue {
        progress.show(
          share: lines.progress, text: "\(builder.eventCount.counted("event")) read",
          count: builder.eventCount)
      }
    }
    return try builder.finish()
  }

  /// The history in a topic since an instant in milliseconds since the epoch.
  func read(_ topic: TopicHistory, since: Int64, _ progress: inout ProgressBar) throws -> History {
    try topic.read(since: since) { share, count in
      if progress.isDue { progress.show(share: share, text: "\(count.counted("event")) read", count: count) }
    }
  }

  /// - Throws: `InputError` for a file with lines that break the contract: without them nobody knows who is told.
  private func readSubscriptions(_ path: String) throws -> ReplaySubscriptions {
    var lines = try LineReader(
      path: path, limit: EventLimits(maxRecordBytes: options.recordLimit).maxLineBytes)
    var builder = try SubscriptionsBuilder(recordLimit: options.recordLimit)
    while let line = try lines.next() {
      builder.add(line.bytes, isCut: line.isCut, number: line.number)
    }
    let subscriptions = builder.finish()
    if let first = subscriptions.rejected.first {
      throw InputError("\(path), line \(first.firstLine ?? 0): \(first.detail)")
    }
    return subscriptions
  }

  private func readRecipients(_ path: String) throws -> ReplayRecipients {
    var lines = try LineReader(
      path: path, limit: EventLimits(maxRecordBytes: options.recordLimit).maxLineBytes)
    var builder = try RecipientsBuilder(recordLimit: options.recordLimit)
    while let line = try lines.next() {
      builder.add(line.bytes, isCut: line.isCut, number: line.number)
    }
    return builder.finish()
  }
}
