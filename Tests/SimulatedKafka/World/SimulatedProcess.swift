import Kafka

/// An operating-system process of a world: a crash domain with clocks of its own. Clients made of its ``cluster`` die
/// with it.
public final class SimulatedProcess: @unchecked Sendable {
  /// The world that it lives in.
  public unowned let world: SimulatedWorld
  /// What traces call it.
  public let name: String
  /// Whether it has neither crashed nor ended.
  public private(set) var isAlive = true
  /// The cluster as this process's clients see it.
  public private(set) lazy var cluster = SimulatedCluster(self)

  /// One turn of its thread, called whenever it is awake; false ends the process. Polls inside of a turn do not wait:
  /// the next turn comes when their time-out is over or something has arrived.
  public var step: (() -> Bool)? {
    didSet { if step != nil { wake() } }
  }

  /// How far its wall clock is ahead of the true time, in milliseconds; it may be set at any time.
  public var wallOffset: Int64 = 0
  /// How many millionths its monotonic clock is too fast.
  public var monotonicDrift: Int64 = 0 {
    willSet {
      monotonicBase = monotonicMilliseconds
      monotonicSince = world.now
    }
  }
  private var monotonicBase: Int64 = 0
  private var monotonicSince: Int64

  /// The number of the record, of those that its producers of transactions are handed from here on, at which a transaction
  /// turns out to have failed; nil for none, and once it has.
  public var failingRecord: Int?

  /// Whether a transaction turns out to have failed at this record.
  func takeFailure() -> Bool {
    guard let number = failingRecord else { return false }
    failingRecord = number > 1 ? number - 1 : nil
    return number <= 1
  }

  /// Whether its thread is in a turn, perhaps waiting in a call.
  public private(set) var isInTurn = false
  private var nextTurn: Int64?
  private var turnNumber: UInt64 = 0
  /// The sum of the time-outs of this turn's polls that found nothing.
  private var idleTime: Int64 = 0
  private var stalledUntil: Int64 = 0
  private var frozenUntil: Int64 = 0
  private var crashHooks: [() -> Void] = []

  init(_ world: SimulatedWorld, name: String) {
    self.world = world
    self.name = name
    monotonicSince = world.now
  }

  // MARK: Clocks

  /// The wall clock, in milliseconds since the epoch: what ``wallOffset`` makes of the true time.
  public var wallMilliseconds: Int64 { world.now + wallOffset }

  /// A clock that only goes on, in milliseconds since the process began.
  public var monotonicMilliseconds: Int64 {
    let elapsed = world.now - monotonicSince
    return monotonicBase + elapsed + elapsed * monotonicDrift / 1_000_000
  }

  // MARK: Turns

  /// Does work that the real process gives to another thread, a little later, if it still lives then.
  ///
  /// - Parameter earliest: not before this instant, in milliseconds since the epoch.
  /// - Returns: the instant. What is handed over with it as the earliest comes afterwards.
  @discardableResult
  public func background(from earliest: Int64 = 0, _ work: @escaping () -> Void) -> Int64 {
    let time = max(earliest, world.now + world.random(world.latencies.background))
    later(time - world.now, work)
    return time
  }

  /// Waits in the process's thread.
  public func sleep(for milliseconds: Int64) {
    waitUntil(world.now + milliseconds) { false }
  }

  /// Calls the thread back into a turn as soon as the world comes to it.
  public func wake() { scheduleTurn(at: world.now) }

  private func scheduleTurn(at time: Int64) {
    guard isAlive, step != nil, !isInTurn else { return }
    let time = max(time, stalledUntil, frozenUntil)
    if let nextTurn, nextTurn <= time { return }
    nextTurn = time
    turnNumber += 1
    let number = turnNumber
    world.schedule(after: time - world.now) { [self] in
      guard number == turnNumber, isAlive else { return }
      nextTurn = nil
      guard world.now >= max(stalledUntil, frozenUntil) else { return scheduleTurn(at: world.now) }
      turn()
    }
  }

  private func turn() {
    guard let step, !isInTurn else { return }
    isInTurn = true
    idleTime = 0
    let goesOn = step()
    isInTurn = false
    guard goesOn else {
      end()
      return
    }
    let cost = world.random(world.latencies.turn)
    scheduleTurn(at: world.now + max(cost, idleTime))
  }

  /// Something came for a client of this process.
  func arrived() {
    guard !isInTurn else { return idleTime = 0 }
    wake()
  }

  /// A poll found nothing: waits, or in a turn remembers to.
  ///
  /// - Returns: whether something has come.
  func idle(for timeout: Int64, isDone: () -> Bool) -> Bool {
    guard timeout > 0 else { return false }
    guard !isInTurn else {
      idleTime += timeout
      return false
    }
    return waitUntil(world.now + timeout, isDone)
  }

  /// Waits inside of a call while the world goes on, until it is done, the time is over or the process is dead.
  @discardableResult
  func waitUntil(_ deadline: Int64, _ isDone: () -> Bool) -> Bool {
    world.run(until: deadline) { isDone() || !isAlive }
    // A thread that was stopped meanwhile returns when it goes on.
    while isAlive, world.now < max(stalledUntil, frozenUntil) {
      world.run(until: max(stalledUntil, frozenUntil)) { !isAlive }
    }
    return isDone()
  }

  /// Something that a thread of the process's clients does after a time, unless the process is dead by then. It waits
  /// while the process is frozen.
  func later(_ milliseconds: Int64, _ action: @escaping () -> Void) {
    world.schedule(after: milliseconds) { [self] in
      guard isAlive else { return }
      if world.now < frozenUntil { return later(frozenUntil - world.now, action) }
      action()
    }
  }

  // MARK: Faults

  /// Ends it at once: no call of its clients has an effect any more, each throws ``KafkaError/Code/closed``, fatally.
  public func crash() {
    guard isAlive else { return }
    world.note("\(name): crashes")
    end()
  }

  private func end() {
    isAlive = false
    for hook in crashHooks { hook() }
    crashHooks = []
  }

  /// Called when the process has ended, in whatever way.
  func onEnd(_ hook: @escaping () -> Void) { crashHooks.append(hook) }

  /// Stops it for a while: the whole process, as SIGSTOP does, or only its thread while its clients go on (heartbeats
  /// are sent until `max.poll.interval.ms` is over).
  public func stall(for milliseconds: Int64, wholeProcess: Bool) {
    world.note("\(name): stalls for \(milliseconds) ms\(wholeProcess ? ", the whole process" : "")")
    let end = world.now + milliseconds
    stalledUntil = max(stalledUntil, end)
    if wholeProcess { frozenUntil = max(frozenUntil, end) }
  }

  /// What a call on a client of a dead process throws.
  var deathError: KafkaError {
    KafkaError(.closed, message: "process \(name) is dead", isFatal: true)
  }
}
