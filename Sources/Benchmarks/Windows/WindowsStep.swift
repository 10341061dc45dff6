import Contract
import Pipeline
import Processor

/// Opens windows in the state machines of all home partitions and has them come due, in the turns of a worker: first what
/// is due, then events, then a commit if one is.
///
/// The clock is the thread's processor time, in which nothing counts that other programs do, and jumps over the time in which
/// there is nothing to do: one worker with a processor of its own, and brokers that take a commit at once.
final class WindowsStep {
  /// An instant in nanoseconds since the epoch.
  private typealias Instant = Int64

  /// When the first window opens.
  private static let opening: Instant = 1_700_000_000_000_000_000
  /// How long before the first digest is due events begin to come.
  private static let lead: Instant = 2_000_000_000
  private static let blockCapacity = 1_024

  private let load: WindowsLoad
  private let machines: StateMachines
  private let configuration: ProcessorConfiguration
  private var event = EventRecord()
  private var scratch = OutputBuffer(capacity: 64)
  private var block = RecordBlock(capacity: blockCapacity)
  private var decoder: DeliveryDecoder
  private var clock: Instant = opening
  private var firstDue: Instant = 0
  private var lastCommit: Instant = 0
  private var workSince: Instant?
  /// Bytes of the batch that windows that were due have added.
  private var dueBytes = 0
  /// When events begin to come, and when no more do.
  private var begin: Instant = 0
  private var lastArrival: Instant = .max
  /// Events that were taken in since.
  private var taken = 0
  /// When each event came whose decision is not handed over yet.
  private var waiting: [Instant] = []
  private var lateness = LatencyHistogram()
  private var waits = LatencyHistogram()
  private var fired = 0
  private var lastFired: Instant = 0
  private var firstTick: Int64?
  private var longestTick: Int64 = 0
  private var longestTurn: Int64 = 0

  init(_ load: WindowsLoad) throws {
    self.load = load
    // Windows that events open while others come due are due when as many have been opened as there were.
    let seconds = max(1, load.windows / max(1, load.rate))
    machines = try StateMachines(
      partitions: load.partitions, catalog: try LoadCatalog.make(windowSeconds: seconds), seed: load.seed)
    configuration = machines.configuration
    decoder = try DeliveryDecoder()
  }

  func run(_ onProgress: (StepProgress) -> Void) throws -> WindowsMeasurement {
    let bytesPerWindow = try open(onProgress)
    begin = max(clock, firstDue - Self.lead)
    clock = begin
    lastCommit = begin
    // Steady ones are watched for so long; those of one instant until the last of them is out.
    let watched = Instant(load.seconds) * 1_000_000_000
    let expected = load.kind == .together ? load.windows : min(load.windows, load.rate * load.seconds)
    if load.kind == .steady { lastArrival = firstDue + watched }
    var progress = Stopwatch()
    while fired < expected {
      try turn()
      guard progress.seconds > 0.1 else { continue }
      progress = Stopwatch()
      onProgress(
        StepProgress(share: Double(fired) / Double(expected), count: fired, unit: "digest"))
    }
    try machines.checkLaw()
    return WindowsMeasurement(
      lateness: lateness.latency, waits: waits.latency, seconds: Double(lastFired - firstDue) / 1e9,
      firstTick: Double(firstTick ?? 0) / 1e6, longestTick: Double(longestTick) / 1e6,
      longestTurn: Double(longestTurn) / 1e6, bytesPerWindow: bytesPerWindow,
      peakBytes: ProcessUsage.now().peakBytes)
  }

  // MARK: - What is there beforehand

  /// Opens the windows of as many recipients: steady ones as far apart as they are to be due.
  ///
  /// - Returns: the resident bytes of each, at the highest while they came.
  private func open(_ onProgress: (StepProgress) -> Void) throws -> Double? {
    let type = load.kind == .steady ? LoadCatalog.waiting : LoadCatalog.scheduled
    let baseline = MemoryUsage.residentBytes()
    var peak = baseline ?? 0
    var progress = Stopwatch()
    for number in 0..<load.windows {
      if load.kind == .steady {
        clock = Self.opening + Instant(number) * 1_000_000_000 / Instant(max(1, load.rate))
      }
      for item in 0..<load.items {
        try apply(type: type, number: number * load.items + item, recipient: number)
      }
      guard number % 64 == 0 else { continue }
      if machines.pendingBytes >= configuration.commitBytes {
        _ = machines.commit()
        peak = max(peak, MemoryUsage.residentBytes() ?? 0)
      }
      guard progress.seconds > 0.1 else { continue }
      progress = Stopwatch()
      onProgress(
        StepProgress(share: Double(number) / Double(load.windows), count: number, unit: "window"))
    }
    _ = machines.commit()
    guard machines.openWindows == load.windows else {
      throw BenchmarkError(
        "\(machines.openWindows) windows are open instead of \(load.windows): this is a fault")
    }
    guard let due = machines.homes.compactMap({ $0.pipeline.nextDue() }).min() else {
      throw BenchmarkError("no window is due: this is a fault")
    }
    firstDue = due * 1_000_000
    guard let baseline else { return nil }
    return Double(max(peak, MemoryUsage.residentBytes() ?? 0) - baseline) / Double(load.windows)
  }

  private func apply(type: String, number: Int, recipient: Int) throws {
    let home = home(of: recipient)
    try event.with(idPrefix: "window-", number: number, type: type, recipient: recipient) { record in
      try machines.apply(record, to: home, at: clock / 1_000_000)
    }
  }

  // MARK: - Turns of a worker

  private func turn() throws {
    let begin = clock
    let batch = try fillBlock()
    var applied = 0
    try timed {
      closeDueWindows(upTo: configuration.inputBytes / 2)
      // At least one, however much was due.
      while applied < batch, applied == 0 || room > 0 {
        let (partition, content) = block[applied]
        try machines.apply(content, to: partition, at: begin / 1_000_000)
        applied += 1
      }
      if batch == 0 { closeDueWindows(upTo: .max) }
    }
    for _ in 0..<applied {
      waiting.append(nextArrival)
      taken += 1
    }
    if workSince == nil, machines.homes.contains(where: { $0.pipeline.hasUncommittedWork }) {
      workSince = begin
    }
    if isCommitDue { try commit() }
    longestTurn = max(longestTurn, clock - begin)
    clock = max(clock, nextInstant)
  }

  private func timed(_ body: () throws -> Void) rethrows {
    let start = ThreadTime.nanoseconds()
    defer { clock += ThreadTime.nanoseconds() - start }
    try body()
  }

  /// What events may add to the batch, by the worker's rule.
  private var room: Int {
    let pending = machines.pendingBytes
    return min(configuration.inputBytes - pending, configuration.commitBytes - pending + dueBytes)
  }

  /// As a worker does it: the partition with what was due first comes first, each at most once for every partition.
  private func closeDueWindows(upTo share: Int) {
    let now = clock / 1_000_000
    for _ in machines.homes {
      guard dueBytes < share, machines.pendingBytes < configuration.backlogBytes,
        let home = mostOverdue(at: now)
      else { return }
      let before = home.pipeline.pendingBytes
      let start = ThreadTime.nanoseconds()
      home.pipeline.tick(now: now)
      let tick = ThreadTime.nanoseconds() - start
      dueBytes += home.pipeline.pendingBytes - before
      firstTick = firstTick ?? tick
      longestTick = max(longestTick, tick)
    }
  }

  private func mostOverdue(at now: Int64) -> StateMachines.Home? {
    var found: (home: StateMachines.Home, due: Int64)?
    for home in machines.homes {
      guard let due = home.pipeline.nextDue(), due <= now, due < found?.due ?? .max else { continue }
      found = (home, due)
    }
    return found?.home
  }

  // MARK: - Events

  /// When the next event comes.
  private var nextArrival: Instant { begin + Instant(taken) * 1_000_000_000 / Instant(load.rate) }

  /// Makes the events that have come, at most as many as a worker takes in a turn.
  private func fillBlock() throws -> Int {
    block.removeAll()
    let come = min(clock, lastArrival) - begin
    guard come >= 0 else { return 0 }
    let count = Int(come * Instant(load.rate) / 1_000_000_000) + 1 - taken
    for offset in 0..<max(0, min(block.capacity, count)) {
      let number = taken + offset
      // A recipient of its own each, so that each opens a window.
      let recipient = load.windows + number
      let home = home(of: recipient)
      try event.with(
        idPrefix: "event-", number: number, type: LoadCatalog.waiting, recipient: recipient
      ) { record throws(BenchmarkError) in
        try block.append(record, partition: home)
      }
    }
    return block.count
  }

  private func home(of recipient: Int) -> Int {
    Int(
      EventRecord.home(
        ofRecipient: recipient, partitionCount: configuration.partitionCount, scratch: &scratch))
  }

  // MARK: - Commits

  private var hasWaitingDelivery: Bool { machines.homes.contains { $0.pipeline.hasWaitingDelivery } }

  /// When a commit begins that has neither the bytes nor the records for one; nil without work.
  private var commitInstant: Instant? {
    guard let workSince else { return nil }
    let earliest = lastCommit + configuration.minimumCommitInterval.nanoseconds
    return hasWaitingDelivery ? earliest : max(earliest, workSince + configuration.commitInterval.nanoseconds)
  }

  private var isCommitDue: Bool {
    machines.pendingBytes >= configuration.commitBytes || waiting.count >= configuration.commitRecords
      || commitInstant ?? .max <= clock
  }

  private var nextInstant: Instant {
    var next = commitInstant ?? .max
    if nextArrival < lastArrival { next = min(next, nextArrival) }
    for home in machines.homes {
      if let due = home.pipeline.nextDue() { next = min(next, due * 1_000_000) }
    }
    return next
  }

  private func commit() throws {
    lastCommit = clock
    workSince = nil
    dueBytes = 0
    var dues: [Instant] = []
    for home in machines.homes {
      try home.pipeline.outbox.forEach { record in
        guard let window = try decoder.decode(record.value).window else {
          throw BenchmarkError("a delivery is no digest: this is a fault")
        }
        guard window.dueMilliseconds <= clock / 1_000_000 else {
          throw BenchmarkError("a digest was fired before it was due: this is a fault")
        }
        dues.append(window.dueMilliseconds * 1_000_000)
      }
    }
    timed { _ = machines.commit() }
    for due in dues { lateness.record(nanoseconds: clock - due) }
    for arrival in waiting { waits.record(nanoseconds: clock - arrival) }
    waiting.removeAll(keepingCapacity: true)
    guard !dues.isEmpty else { return }
    fired += dues.count
    lastFired = clock
  }
}

extension Duration {
  fileprivate var nanoseconds: Int64 {
    components.seconds * 1_000_000_000 + components.attoseconds / 1_000_000_000
  }
}
