import Contract
import Dispatch
import Kafka
import Logging
import Settings

/// One run of a publishing command: progress, refused events, signals, totals, exit status.
final class PublishSession {
  /// Ends the run early.
  let stop: StopSignal
  /// The largest event in bytes.
  let recordLimit: Int
  /// How far the input is read, 0…1; nil where nobody knows.
  var share: Double?

  private let isStrict: Bool
  private let options: EventPublisher.Options
  private var publisher: EventPublisher
  private var cutCount = 0
  private var progress = ProgressBar()

  /// Prepares a run as the command line asks for it.
  ///
  /// - Parameter stop: what ends the run early.
  /// - Throws: `CommandEnd` when the topic is missing or no broker can be reached.
  convenience init(_ options: PublishOptions, stop: StopSignal = StopSignal()) throws {
    let settings = try options.settings.loadWithLogging()
    let publishing = EventPublisher.Options(
      topic: "\(settings.topics.prefix).events", recordLimit: settings.processor.recordLimit,
      repeatFraction: options.repeats.fraction, seed: options.repeats.seed, rate: options.rate)
    try self.init(
      settings.makeCluster(clientID: "tidings-publish"), publishing, isStrict: options.strict, stop: stop)
  }

  /// Prepares a run.
  ///
  /// - Parameters:
  ///   - isStrict: whether the first event that breaks the contract ends it.
  ///   - stop: what ends the run early.
  /// - Throws: `CommandEnd` when the topic is missing or no broker can be reached.
  init(
    _ cluster: any KafkaCluster, _ options: EventPublisher.Options, isStrict: Bool,
    stop: StopSignal = StopSignal()
  ) throws {
    self.stop = stop
    self.isStrict = isStrict
    self.options = options
    recordLimit = options.recordLimit
    try TopicCheck.require(options.topic, on: cluster)
    publisher = try EventPublisher(cluster: cluster, options: options, stop: stop)
  }

  /// Publishes the events of a file, one a line, waits for the broker, and tells the totals.
  ///
  /// - Throws: `CommandEnd` unless every event was published.
  func publishLines(of file: consuming InputFile) throws {
    var lines = LineReader(file, limit: recordLimit)
    try run { session throws in
      while let line = try lines.next() {
        session.share = lines.progress
        guard try session.publish(line.bytes, isCut: line.isCut, name: "line \(line.number)") else { break }
      }
    }
  }

  /// Publishes what `body` hands to `publish`, waits for the broker, and tells the totals.
  ///
  /// - Throws: `CommandEnd` unless every event was published.
  func run(_ body: (PublishSession) throws -> Void) throws {
    let handlers = stop.installHandlers()
    defer { for handler in handlers { handler.cancel() } }
    var inputError: InputError?
    do {
      try body(self)
    } catch let error as InputError {
      // What was read before is published all the same.
      inputError = error
    }
    var flushError: KafkaError?
    do {
      try publisher.finish { totals, count in showProgress(totals, count) }
    } catch let error as KafkaError {
      flushError = error
    }
    progress.clear()
    try conclude(inputError, flushError)
  }

  /// Publishes an event; one that breaks the contract is reported and left out.
  ///
  /// - Returns: whether to go on.
  func publish(_ json: ByteView, isCut: Bool, name: String) throws -> Bool {
    do throws(Rejection) {
      if isCut {
        cutCount += 1
        throw Rejection(
          .recordTooLarge, "The line has more than \(recordLimit) bytes (processor.recordLimit).")
      }
      guard try publisher.publish(json, name: name) else { return false }
    } catch {
      progress.clear()
      Terminal.error.writeLine("\(name): \(error)")
      if isStrict { return false }
    }
    if progress.isDue { showProgress(publisher.totals, publisher.deliveries) }
    return true
  }

  /// Shows how far it is. Called while the publisher is being changed, which it therefore leaves alone.
  private func showProgress(_ totals: PublishTotals, _ count: DeliveryTally.Count) {
    let events = totals.records
    let waiting = events - count.delivered - count.failed
    let text = events.counted("event") + (waiting > 0 ? " (\(waiting.grouped) waiting)" : "")
    progress.show(share: share, text: text, count: count.delivered)
  }

  private func conclude(_ inputError: InputError?, _ flushError: KafkaError?) throws {
    let totals = publisher.totals
    let count = publisher.deliveries
    let exactness = totals.isExact ? "" : " (too many to tell all repeats from new ones)"
    Terminal.output.writeLine(
      "published \(count.delivered.counted("record")) to \(options.topic): \(totals.events.counted("event")), "
        + "\(totals.notifications.counted("notification")), "
        + "\(totals.repeatedNotifications.counted("repeated notification"))\(exactness)")
    let refused = publisher.refused + cutCount
    try PublishEnd.check(
      leftOut: refused > 0 ? "\(refused.counted("event")) left out for breaking the contract" : nil, count,
      inputError, flushError, isStopped: stop.isStopped)
  }
}

/// Makes sure of a topic before something is sent to it: a broker would create it otherwise, with settings of its own.
enum TopicCheck {
  private static let patience: Duration = .seconds(30)

  static func require(_ topic: String, on cluster: any KafkaCluster) throws {
    let admin = cluster.admin
    let topics = try ClusterWait.retry(patience: patience, logger: Logger(label: "tidings.publish")) {
      () throws(KafkaError) in try admin.topics(timeout: .seconds(5))
    }
    guard topics.contains(where: { $0.name == topic }) else {
      throw CommandEnd(
        .failed,
        "the topic \(topic) does not exist at \(cluster.bootstrapServers): run `tidings topics apply`")
    }
  }
}
