import SeededTesting

/// A world of one broker and some processes in virtual time. All of a run hangs on it; the same seed gives the same run.
///
/// Confined to one thread, and whoever made it keeps it: processes and clients do not. A process's thread is its
/// ``SimulatedProcess/step``, called by the world; a call that waits runs the world on from inside, so that everything
/// else goes on meanwhile.
public final class SimulatedWorld: @unchecked Sendable {
  /// The seed that everything in the world follows from.
  public let seed: UInt64
  /// How long things take.
  public var latencies: Latencies
  /// The true time: milliseconds since the epoch. The broker's clock reads it.
  public private(set) var now: Int64
  /// The source of all chance.
  public var random: SeededGenerator
  /// The cluster, as an omniscient observer sees it.
  public private(set) lazy var broker = SimulatedBroker(self)
  /// Every process that was ever spawned, in that order.
  public private(set) var processes: [SimulatedProcess] = []
  /// Receives one line per thing of note; nil, and nothing is formatted, unless a run is to be read.
  public var trace: ((_ milliseconds: Int64, _ line: String) -> Void)?
  /// The number of events that have happened, as a measure of speed.
  public private(set) var eventCount = 0

  private var events = EventQueue()

  deinit { end() }

  /// A world in which nothing has happened yet.
  ///
  /// - Parameter start: the time at which it begins, in milliseconds since the epoch.
  public init(seed: UInt64, latencies: Latencies = Latencies(), start: Int64 = 1_700_000_000_000) {
    self.seed = seed
    self.latencies = latencies
    now = start
    random = SeededGenerator(seed: seed)
  }

  /// Makes something happen after so many milliseconds, behind all that happens in that instant already.
  public func schedule(after milliseconds: Int64, _ action: @escaping () -> Void) {
    events.add(at: now + max(0, milliseconds), action)
  }

  /// Nothing happens any more. What is to happen usually holds whoever scheduled it, and a step its process's clients,
  /// and they the process: a world that is not ended keeps them and itself in memory.
  public func end() {
    events = EventQueue()
    for process in processes { process.step = nil }
  }

  /// A process, alive, with its own clocks and cluster.
  public func spawn(_ name: String) -> SimulatedProcess {
    let process = SimulatedProcess(self, name: name)
    processes.append(process)
    return process
  }

  /// Lets everything happen that is due until `time`, which is the time afterwards. A call that waits across it is
  /// waited for.
  public func run(until time: Int64) {
    _ = run(until: time) { false }
  }

  /// Lets things happen until `isDone` says so, which is asked after each, or until `time`.
  ///
  /// - Returns: whether it is done.
  @discardableResult
  public func run(until time: Int64, isDone: () -> Bool) -> Bool {
    while !isDone() {
      guard let next = events.nextTime, next <= time else {
        now = max(now, time)
        return isDone()
      }
      let event = events.removeFirst()
      now = max(now, event.time)
      eventCount += 1
      event.action()
    }
    return true
  }

  /// A number from a range, each as likely.
  public func random(_ range: ClosedRange<Int64>) -> Int64 {
    range.lowerBound == range.upperBound ? range.lowerBound : Int64.random(in: range, using: &random)
  }

  /// Whether something of this probability happens. Without a chance it costs no number, so that a world without
  /// faults is the same whatever else is added to the faults.
  public func chance(_ probability: Double) -> Bool {
    probability > 0 && Double.random(in: 0..<1, using: &random) < probability
  }

  /// Says something to whoever reads the run.
  public func note(_ line: @autoclosure () -> String) {
    guard let trace else { return }
    trace(now, line())
  }
}

/// How long things take in a world, in milliseconds, each drawn anew from its range.
public struct Latencies: Sendable {
  /// A message from a client to a broker, or back.
  public var network: ClosedRange<Int64> = 0...1
  /// For how long a request that appends records occupies its connection: those of a producer wait for one another.
  public var append: Int64 = 0
  /// A turn of a process's thread.
  public var turn: ClosedRange<Int64> = 0...2
  /// From the decision over a transaction to each of its markers.
  public var marker: ClosedRange<Int64> = 0...3
  /// How long a fetch at the end of a partition waits before it says so (`fetch.wait.max.ms`: 10 for the processor's
  /// members, 50 for others, more where a user has set it). One that is resumed or sought in is fetched only when the
  /// fetch under way is answered, as late.
  public var fetchWait: ClosedRange<Int64> = 0...50
  /// The same for log readers.
  public var readerFetchWait: ClosedRange<Int64> = 0...20
  /// The most records that one fetch brings.
  public var fetchRecords = 500
  /// Work handed to another thread of a process.
  public var background: ClosedRange<Int64> = 0...20
  /// From a connection that broke to the client's next attempt.
  public var reconnect: ClosedRange<Int64> = 5...100
  /// How long an empty group waits for more members before it begins (`group.initial.rebalance.delay.ms`).
  public var initialRebalanceDelay: Int64 = 0
  /// How often a member tells its group that it lives (`heartbeat.interval.ms`, 500 in our consumers).
  public var heartbeat: Int64 = 500
  /// How long a member may go without a poll (`max.poll.interval.ms`); the group's rebalance time-out, too.
  public var maxPollInterval: Int64 = 300_000
  /// How often the coordinator looks for transactions that are over their time
  /// (`transaction.abort.timed.out.transaction.cleanup.interval.ms`).
  public var transactionScan: Int64 = 10_000

  /// A network of a millisecond, and Kafka's defaults.
  public init() {}
}
