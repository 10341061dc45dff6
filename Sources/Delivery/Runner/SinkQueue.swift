import Contract
import Dispatch
import Synchronization

/// Where the consumer's thread and the workers' tasks meet: the schedule behind a lock.
///
/// The consumer's thread adds and drops records and collects completions; workers take and answer. No call blocks
/// except `waitUntilQuiet`, which only the consumer's thread uses.
final class SinkQueue: Sendable {
  typealias Ticket = DeliverySchedule<SinkRecord>.Ticket

  /// A record that is dealt with.
  struct Completion: Sendable {
    let source: DeliverySource
    let offset: Int64
  }

  private struct State {
    var schedule: DeliverySchedule<SinkRecord>
    var idleWorkers: [CheckedContinuation<Ticket?, Never>] = []
    var completions: [Completion] = []
    var isHalted = false
    var isClosed = false
    var quiet: (sources: Set<DeliverySource>, signal: DispatchSemaphore)?
    var random = SystemRandomNumberGenerator()
  }

  private let state: Mutex<State>
  private let start = ContinuousClock.now

  init(outage: RetryPolicy) {
    state = Mutex(State(schedule: DeliverySchedule(breaker: CircuitBreaker(policy: outage))))
  }

  /// What the queue holds at this moment.
  struct Load {
    let recordCount: Int
    let byteCount: Int
    let runningCount: Int
    /// How long until something becomes due; nil when nothing waits for a time.
    let nextDue: Duration?
  }

  /// What the queue holds at this moment.
  var load: Load {
    let now = elapsed
    return state.withLock { state in
      let due = state.schedule.nextDue.map { max(.zero, $0 - now) }
      return Load(
        recordCount: state.schedule.count, byteCount: state.schedule.byteCount,
        runningCount: state.schedule.runningCount,
        nextDue: due)
    }
  }

  // MARK: The consumer's thread

  /// Adds a record; an idle worker takes it at once if nothing stands before it.
  func enqueue(_ record: SinkRecord, source: DeliverySource) {
    let key = (record.key ?? []).withUnsafeBytes { Hash128(of: ByteView($0)) }
    update { state in
      state.schedule.enqueue(record, key: key, source: source, byteCount: record.byteCount)
    }
  }

  /// Hands out what has become due since the last call.
  func wake() { update { _ in } }

  /// What was dealt with since the last call.
  func takeCompletions() -> [Completion] {
    state.withLock { state in
      defer { state.completions = [] }
      return state.completions
    }
  }

  /// The timestamp of the oldest record that waits for its first attempt, by what it came from, in milliseconds since the
  /// epoch.
  func oldestUntried() -> [DeliverySource: Int64] {
    state.withLock { state in
      var oldest: [DeliverySource: Int64] = [:]
      state.schedule.forEachUntried { record, source in
        oldest[source] = min(oldest[source] ?? .max, record.timestampMilliseconds)
      }
      return oldest
    }
  }

  /// Forgets what came from these sources and is not in progress.
  func drop(_ sources: Set<DeliverySource>) {
    update { state in state.schedule.drop(sources) }
  }

  /// Hands nothing out any more; what is in progress goes on.
  func halt() {
    state.withLock { state in state.isHalted = true }
  }

  /// Blocks until nothing of these sources is in progress, or the time is over; says which.
  func waitUntilQuiet(_ sources: Set<DeliverySource>, timeout: Duration) -> Bool {
    let signal = DispatchSemaphore(value: 0)
    let isQuiet = state.withLock { state in
      state.quiet = (sources, signal)
      return state.schedule.runningCount(of: sources) == 0
    }
    defer { state.withLock { state in state.quiet = nil } }
    if isQuiet { return true }
    return signal.wait(timeout: .now() + timeout.seconds) == .success
  }

  /// Sends the workers home: `next` gives nil from here on.
  func close() {
    let idle = state.withLock { state in
      state.isClosed = true
      defer { state.idleWorkers = [] }
      return state.idleWorkers
    }
    for worker in idle { worker.resume(returning: nil) }
  }

  // MARK: The workers

  /// The next record to work on; waits for one. Nil: there will be none.
  func next() async -> Ticket? {
    await withCheckedContinuation { continuation in
      let isClosed = state.withLock { state in
        if !state.isClosed { state.idleWorkers.append(continuation) }
        return state.isClosed
      }
      if isClosed { continuation.resume(returning: nil) } else { wake() }
    }
  }

  /// Answers a ticket. A wait is given from this moment on.
  func answer(_ ticket: Ticket, _ outcome: Outcome) {
    let now = elapsed
    update { state in
      switch outcome {
      case .finished, .finishedUnasked:
        state.completions.append(Completion(source: ticket.source, offset: ticket.item.offset))
      case .retry, .retryUnanswered, .unavailable: break
      }
      state.schedule.answer(ticket, outcome.answer(now: now), now: now, using: &state.random)
      if let quiet = state.quiet, state.schedule.runningCount(of: quiet.sources) == 0 {
        quiet.signal.signal()
      }
    }
  }

  /// How a worker ended an attempt.
  enum Outcome {
    /// Delivered, or refused for good by the sink.
    case finished
    /// Dealt with, and the sink was not asked.
    case finishedUnasked
    /// To be tried again after a wait.
    case retry(after: Duration)
    /// The same, and the sink was not reached.
    case retryUnanswered(after: Duration)
    /// Nothing can be handed over.
    case unavailable

    fileprivate func answer(now: Duration) -> DeliverySchedule<SinkRecord>.Answer {
      switch self {
      case .finished: .finished
      case .finishedUnasked: .finishedUnasked
      case .retry(let wait): .retry(at: now + wait)
      case .retryUnanswered(let wait): .retryUnanswered(at: now + wait)
      case .unavailable: .unavailable
      }
    }
  }

  private var elapsed: Duration { ContinuousClock.now - start }

  /// Changes the state, then gives idle workers what there is for them. Continuations run outside of the lock.
  private func update(_ change: (inout State) -> Void) {
    let now = elapsed
    let handedOut = state.withLock { state -> [(CheckedContinuation<Ticket?, Never>, Ticket)] in
      change(&state)
      guard !state.isHalted else { return [] }
      var handedOut: [(CheckedContinuation<Ticket?, Never>, Ticket)] = []
      while !state.idleWorkers.isEmpty, let ticket = state.schedule.take(now: now) {
        handedOut.append((state.idleWorkers.removeLast(), ticket))
      }
      return handedOut
    }
    for (worker, ticket) in handedOut { worker.resume(returning: ticket) }
  }
}

extension Duration {
  /// The duration in seconds.
  var seconds: Double { self / .seconds(1) }
}
