import Kafka
import Logging
import ServiceLifecycle
import Synchronization

/// The course of a demo: waits until all are assigned, publishes, shows what happens, and ends when it is told or, if
/// so asked, when nothing is open any more.
final class DemoRun: Service, Sendable {
  /// What the user asked for.
  struct Options: Sendable {
    /// Whether to end when nothing is open any more.
    var exitsWhenIdle: Bool
    /// Where the report goes; nil for none.
    var report: String?
    /// What to tell about the places to look at, by the inbox's port.
    var places: @Sendable (_ port: Int) -> [String]
  }

  private static let assignmentPatience: Duration = .seconds(60)
  private static let stallPatience: Duration = .seconds(120)
  private static let refresh: Duration = .milliseconds(100)

  private let system: DemoSystem
  private let input: DemoInput
  private let inputPath: String
  private let recipients: DemoRecipients
  private let form: DemoForm
  private let options: Options
  private let start: ContinuousClock.Instant
  private let port = Atomic<Int>(0)
  private let stop = StopSignal()
  private let complaints = Mutex<[String]>([])

  init(
    _ system: DemoSystem, input: DemoInput, inputPath: String, recipients: DemoRecipients, form: DemoForm,
    options: Options, start: ContinuousClock.Instant
  ) {
    self.system = system
    self.input = input
    self.inputPath = inputPath
    self.recipients = recipients
    self.form = form
    self.options = options
    self.start = start
  }

  /// Notes where the inbox listens.
  func listens(at port: Int) { self.port.store(port, ordering: .relaxed) }

  /// Runs the demo.
  ///
  /// - Throws: `CommandEnd` when it stalls or something does not come about.
  func run() async throws {
    defer { form.close() }
    do {
      try await cancelWhenGracefulShutdown { [self] in
        try await withTaskCancellationHandler {
          try await course()
        } onCancel: {
          stop.stop()
        }
      }
    } catch is CancellationError {
      // Told to end.
    }
  }

  private func course() async throws {
    try await waitForAssignment()
    try await BlockingThread.run("demo-recipients") { [self] in
      try recipients.publishRecipients(
        ofEventsIn: inputPath, recordLimit: system.configuration.recordLimit, stop: stop)
    }
    try await wait(.seconds(60), for: "the recipients' records to be taken in") { [self] in
      system.status.counters.consumed >= Int64(recipients.published)
    }
    for line in options.places(port.load(ordering: .relaxed)) { Terminal.output.writeLine(line) }
    let base = recipients.published
    async let publishing: Void = BlockingThread.run("demo-input") { [self] in
      try input.publish(to: system, base: base, stop: stop) { message in
        complaints.withLock { $0.append(message) }
      }
    }
    try await watch()
    try await publishing
  }

  private func waitForAssignment() async throws {
    Terminal.output.writeLine("starting: an embedded Kafka, the processor, the email sink and the inbox …")
    try await wait(Self.assignmentPatience, for: "all members to get their partitions") { [self] in
      system.isAssigned && port.load(ordering: .relaxed) != 0
    }
  }

  private func wait(_ patience: Duration, for what: String, until isDone: () -> Bool) async throws {
    let deadline = ContinuousClock.now + patience
    while !isDone() {
      guard ContinuousClock.now < deadline else {
        throw CommandEnd(.failed, "waited \(patience) for \(what), in vain")
      }
      try await Task.sleep(for: .milliseconds(20))
    }
  }

  // MARK: - Watching

  private func watch() async throws {
    var display = LiveLines(.output)
    var last = DemoSnapshot()
    var lastChange = ContinuousClock.now
    var lastLook = ContinuousClock.now
    defer { display.finish(plain: last.plain) }
    while true {
      let (snapshot, isPublished) = try look()
      tellComplaints(&display)
      display.show(snapshot.lines, plain: snapshot.plain)
      let now = ContinuousClock.now
      if snapshot != last { lastChange = now }
      last = snapshot
      if now - lastLook > .seconds(2) {
        lastLook = now
        if !snapshot.isDecided, let loss = try system.lostDelivery() { throw CommandEnd(.failed, loss) }
      }
      if options.exitsWhenIdle {
        if isPublished, snapshot.isDecided, try system.areSinksDone() {
          let (final, _) = try look()
          last = final
          display.show(final.lines, plain: final.plain)
          return try conclude(final)
        }
        if now - lastChange > Self.stallPatience {
          throw CommandEnd(.failed, "nothing has happened for \(Self.stallPatience): \(snapshot.openWork)")
        }
      }
      try await Task.sleep(for: Self.refresh)
    }
  }

  private func look() throws -> (DemoSnapshot, isPublished: Bool) {
    let progress = input.current
    if let failure = progress.failure { throw CommandEnd(.failed, "not published: \(failure)") }
    var snapshot = DemoSnapshot()
    snapshot.totals = progress.totals
    snapshot.formEvents = form.published
    snapshot.published = progress.delivered + recipients.published + snapshot.formEvents
    system.fill(&snapshot)
    // Behind the counters: what was consumed by then is among the ends. Nobody waits for it before all is published.
    if options.exitsWhenIdle, progress.isFinished { snapshot.engagements = try system.engagementCount() }
    return (snapshot, progress.isFinished)
  }

  private func tellComplaints(_ display: inout LiveLines) {
    let messages = complaints.withLock { messages in
      defer { messages = [] }
      return messages
    }
    guard !messages.isEmpty else { return }
    display.clear()
    for message in messages { Terminal.error.writeLine(message) }
  }

  private func conclude(_ snapshot: DemoSnapshot) throws {
    let report = DemoReport(snapshot, seconds: (ContinuousClock.now - start).inSeconds)
    if let path = options.report { try report.write(to: path) }
    guard snapshot.counters.difference == 0, report.difference == 0 else {
      throw CommandEnd(
        .failed,
        "the counters contradict the conservation law by \(snapshot.counters.difference): this is a fault")
    }
    if snapshot.deadLetters > 0 {
      throw CommandEnd(.failed, "\(snapshot.deadLetters.counted("delivery record")) went to the dead letters")
    }
    let refused = input.current.refused
    if refused > 0 {
      throw CommandEnd(.failed, "\(refused.counted("event")) left out for breaking the contract")
    }
  }
}
