import Contract

/// Which record is worked on next: in order per key, with waits between attempts, and as the breaker permits.
///
/// A value: no Kafka, no clock, no tasks. Instants are durations since a start of the caller's choice. Every ticket
/// that `take` gives is answered by one call of `answer`.
public struct DeliverySchedule<Item: Sendable>: Sendable {
  /// A record to work on.
  public struct Ticket: Sendable {
    /// The record.
    public let item: Item
    /// The number of this attempt, from 1; attempts while nothing could be handed over are not counted.
    public let attempt: Int
    /// What the record came from.
    public let source: DeliverySource
    /// Whether the other side has dealt with other records since it was unavailable for this one: it is this record's
    /// fault then if it is so again.
    public let isSuspect: Bool
    fileprivate let key: Hash128
  }

  /// How an attempt ended.
  public enum Answer: Equatable, Sendable {
    /// The record is dealt with, delivered or dead; the other side works.
    case finished
    /// The record is dealt with, but the other side was not asked.
    case finishedUnasked
    /// Another attempt at that time.
    case retry(at: Duration)
    /// The same, and the other side did not answer: it is this record's fault, but for all that is known the other side
    /// may not work.
    case retryUnanswered(at: Duration)
    /// The other side does not work: the breaker opens, and the record waits for it to close.
    case unavailable
    /// The attempt was given up; the record is dropped if its source is gone, else tried again.
    case abandoned
  }

  private struct Entry {
    let item: Item
    let source: DeliverySource
    let byteCount: Int
    var failures = 0
    var isDropped = false
    /// How many answers there had been when the other side was unavailable for it.
    var unavailableAt: Int?
  }

  /// The records of one key: the current one blocks those that wait.
  private struct Chain {
    var current: Entry
    var isRunning = false
    var waiting = FIFO<Entry>()
  }

  private var chains: [Hash128: Chain] = [:]
  private var ready = FIFO<Hash128>()
  /// Keys whose current record waits for its next attempt, latest first.
  private var delayed: [(due: Duration, key: Hash128)] = []
  private var runningBySource: [DeliverySource: Int] = [:]
  /// How often the other side has answered.
  private var answers = 0

  /// Opens and closes by the answers.
  public private(set) var breaker: CircuitBreaker
  /// How many records are here: waiting, delayed or being worked on.
  public private(set) var count = 0
  /// The bytes of these records, as `enqueue` was told.
  public private(set) var byteCount = 0
  /// How many records are being worked on.
  public private(set) var runningCount = 0

  /// An empty schedule.
  public init(breaker: CircuitBreaker) { self.breaker = breaker }

  /// Adds a record behind those of the same key.
  public mutating func enqueue(_ item: Item, key: Hash128, source: DeliverySource, byteCount: Int) {
    let entry = Entry(item: item, source: source, byteCount: byteCount)
    count += 1
    self.byteCount += byteCount
    if chains[key] == nil {
      chains[key] = Chain(current: entry)
      ready.append(key)
    } else {
      chains[key]?.waiting.append(entry)
    }
  }

  /// The next record to work on; nil when there is none at this time.
  public mutating func take(now: Duration) -> Ticket? {
    while let next = delayed.last, next.due <= now {
      delayed.removeLast()
      ready.append(next.key)
    }
    guard !ready.isEmpty, breaker.mayStart(now: now), let key = ready.popFirst() else { return nil }
    guard let entry = chains[key]?.current else { return nil }
    chains[key]?.isRunning = true
    runningCount += 1
    runningBySource[entry.source, default: 0] += 1
    return Ticket(
      item: entry.item, attempt: entry.failures + 1, source: entry.source,
      isSuspect: entry.unavailableAt.map { answers > $0 } ?? false, key: key)
  }

  /// When `take` may give something that it does not give now; nil when only an answer or a new record can change that.
  public var nextDue: Duration? {
    let delay = delayed.last?.due
    let probe = ready.isEmpty ? nil : breaker.probeDue
    return [delay, probe].compactMap { $0 }.min()
  }

  /// Answers a ticket.
  public mutating func answer(
    _ ticket: Ticket, _ answer: Answer, now: Duration, using random: inout some RandomNumberGenerator
  ) {
    guard var chain = chains[ticket.key], chain.isRunning else { return }
    runningCount -= 1
    let running = (runningBySource[ticket.source] ?? 1) - 1
    runningBySource[ticket.source] = running == 0 ? nil : running
    chain.isRunning = false

    switch answer {
    case .finished, .retry:
      answers += 1
      breaker.recordAnswer()
    case .unavailable: breaker.recordFailure(now: now, using: &random)
    case .finishedUnasked, .retryUnanswered, .abandoned: breaker.recordNothing(now: now)
    }
    switch answer {
    case .retry(let due) where !chain.current.isDropped,
      .retryUnanswered(let due) where !chain.current.isDropped:
      chain.current.failures += 1
      // An outage that begins now does not count against it again.
      if ticket.isSuspect { chain.current.unavailableAt = answers }
      chains[ticket.key] = chain
      let index = delayed.firstIndex { $0.due <= due } ?? delayed.count
      delayed.insert((due, ticket.key), at: index)
    case .unavailable where !chain.current.isDropped:
      chain.current.unavailableAt = answers
      chains[ticket.key] = chain
      // At the end, so that another record is the next probe: what fails for one mail alone holds up no other.
      ready.append(ticket.key)
    case .abandoned where !chain.current.isDropped:
      chains[ticket.key] = chain
      ready.prepend(ticket.key)
    default:
      advance(chain, key: ticket.key)
    }
  }

  /// Calls `body` with each record that waits for its first attempt, whatever keeps it: for want of a worker, or because
  /// nothing can be handed over. One behind a record of its key that was tried waits for that one's sake, and is not among
  /// them.
  public func forEachUntried(_ body: (Item, DeliverySource) -> Void) {
    for chain in chains.values where !chain.isRunning && chain.current.failures == 0 {
      body(chain.current.item, chain.current.source)
    }
  }

  /// How many records of these sources are being worked on.
  public func runningCount(of sources: Set<DeliverySource>) -> Int {
    sources.reduce(0) { $0 + (runningBySource[$1] ?? 0) }
  }

  /// Forgets the records of these sources that are not being worked on; those that are will not be tried again.
  public mutating func drop(_ sources: Set<DeliverySource>) {
    var droppedKeys: Set<Hash128> = []
    for (key, var chain) in chains {
      let kept = chain.waiting.filter { !sources.contains($0.source) }
      for entry in chain.waiting where sources.contains(entry.source) { forget(entry) }
      chain.waiting = FIFO(kept)
      if sources.contains(chain.current.source) {
        if chain.isRunning {
          chain.current.isDropped = true
        } else {
          forget(chain.current)
          guard let next = chain.waiting.popFirst() else {
            chains[key] = nil
            droppedKeys.insert(key)
            continue
          }
          // The key keeps its place in `ready` or `delayed`.
          chain.current = next
        }
      }
      chains[key] = chain
    }
    ready = FIFO(ready.filter { !droppedKeys.contains($0) })
    delayed.removeAll { droppedKeys.contains($0.key) }
  }

  private mutating func advance(_ chain: Chain, key: Hash128) {
    var chain = chain
    forget(chain.current)
    guard let next = chain.waiting.popFirst() else {
      chains[key] = nil
      return
    }
    chain.current = next
    chains[key] = chain
    ready.append(key)
  }

  private mutating func forget(_ entry: Entry) {
    count -= 1
    byteCount -= entry.byteCount
  }
}

/// One partition during one assignment: what a record came from. Answers that come after the assignment has ended
/// are told by the generation.
public struct DeliverySource: Hashable, Sendable {
  /// The partition of the delivery topic.
  public let partition: Int32
  /// Counts the assignments of this process.
  public let generation: Int

  /// A source.
  public init(partition: Int32, generation: Int) {
    self.partition = partition
    self.generation = generation
  }
}
