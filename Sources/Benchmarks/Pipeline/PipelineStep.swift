import Contract
import Foundation
import Pipeline

/// Puts a load through the state machines of all home partitions on this thread, without Kafka: what the processor
/// itself costs.
///
/// Records are made block by block, and only the work on them is timed. The clock goes on by itself, at a fixed number
/// of events a second, so that windows open and close as they would at that rate.
final class PipelineStep {
  /// How many events pass from one look at what is due to the next, as in a turn of a worker.
  private static let turn = 1_024
  private static let blockCapacity = 16_384
  /// How long the ids that are there beforehand took to come, in milliseconds of the clock.
  private static let historyMilliseconds: Int64 = 12 * 3_600_000
  /// Events before all others, twice: buffers and caches have their sizes then, but tables of ids are not cut yet.
  private static let forgotten = 50_000
  /// Longer than ids are remembered.
  private static let horizonMilliseconds: Int64 = 25 * 3_600_000
  /// Longer than the windows of the catalog are open.
  private static let windowMilliseconds: Int64 = 8 * 86_400_000

  private let options: PipelineLoad
  private let machines: StateMachines
  private var block = RecordBlock(capacity: blockCapacity)
  private var event = EventRecord()
  private var clock = Int64(1_700_000_000_000)
  private var ticks: Int64 = 0
  private let eventsPerMillisecond: Int64
  private var timed = Timed()
  private var baseline: Int64?
  private var peak: Int64 = 0

  /// What is added up while the time is taken.
  private struct Timed {
    var apply: Int64 = 0
    var close: Int64 = 0
    var seal: Int64 = 0
    var commits = 0
    var records = 0
    var bytes = 0
  }

  init(_ options: PipelineLoad) throws {
    self.options = options
    eventsPerMillisecond = Int64(max(1, options.eventsPerSecond / 1_000))
    machines = try StateMachines(
      partitions: options.partitions, catalog: try LoadCatalog.make(), seed: options.seed)
  }

  func run(_ onProgress: (StepProgress) -> Void) throws -> PipelineMeasurement {
    if case .decoding = options.kind { return try runDecoder(onProgress) }
    var load = EventLoad(
      seed: options.seed, partitionCount: options.partitions, recipientCount: options.recipients,
      onlyType: options.kind.onlyType, repeatPercent: options.kind.repeatPercent)
    try loadRecipients(load)
    let memory = try fill(load, onProgress)
    if case .closing = options.kind { return try close(memory) }
    // The windows of the load open and close at an even rate from here on.
    try pass(&load, events: options.warmUp, isTimed: false, onProgress)
    let before = MemoryUsage.allocations()
    timed = Timed()
    let watch = Stopwatch()
    try pass(&load, events: options.events, isTimed: true, onProgress)
    let seconds = watch.seconds
    commit()
    let after = MemoryUsage.allocations()
    try machines.checkLaw()
    var result = PipelineMeasurement(
      events: options.events, seconds: seconds, applyNanoseconds: timed.apply,
      closeNanoseconds: timed.close, sealNanoseconds: timed.seal)
    if let before, let after { result.allocations = after - before }
    complete(&result, memory)
    return result
  }

  // MARK: - What is there beforehand

  private func loadRecipients(_ load: EventLoad) throws {
    var bytes = RecipientRecordBytes()
    for number in 0..<options.recipients {
      bytes.with(number: number) { record in
        machines.load(recipient: record, offset: Int64(number), to: Int(load.homes[number]), at: clock)
      }
    }
    guard machines.homes.reduce(0, { $0 + $1.pipeline.recipientCount }) == options.recipients else {
      throw BenchmarkError("the recipients of the load were not taken: this is a fault")
    }
  }

  /// Ids and windows that are there before the load comes, and the memory that each of them takes.
  private func fill(
    _ load: EventLoad, _ onProgress: (StepProgress) -> Void
  ) throws -> Filled {
    var random = SeededRandom(seed: options.seed &+ 1)
    func draw() -> Int { random.next(upTo: options.recipients) - 1 }
    let pace = Self.historyMilliseconds * 1_000 / Int64(max(1, options.ids))
    var perID: Double?
    // What buffers and caches grow to is not counted: it is there before, and the ids that it took are forgotten again.
    for prefix in ["forgotten-", "forgotten-too-"] as [StaticString] {
      try history(
        Self.forgotten, prefix: prefix, type: LoadCatalog.immediate, pace: 0, load, onProgress,
        recipient: { _ in draw() })
      clock += Self.horizonMilliseconds
    }
    let first = min(options.ids / 10, 20_000)
    try history(
      first, prefix: "first-", type: LoadCatalog.immediate, pace: pace, load, onProgress,
      recipient: { _ in draw() })
    // Each looks at one shard of every table for what has expired.
    for _ in 0..<256 { commit() }
    startCounting()
    try history(
      options.ids - first, prefix: "id-", type: LoadCatalog.immediate, pace: pace, load, onProgress,
      recipient: { _ in draw() })
    if let baseline, options.ids > first { perID = Double(peak - baseline) / Double(options.ids - first) }
    var perWindow: Double?
    var floor: Int64?
    if options.windows > 0 {
      startCounting()
      floor = baseline
      try history(
        options.windows, prefix: "window-", type: LoadCatalog.waiting, pace: 0, load, onProgress,
        recipient: { $0 })
      if let baseline { perWindow = Double(peak - baseline) / Double(options.windows) }
    }
    baseline = nil
    return Filled(perID: perID, perWindow: perWindow, floor: floor)
  }

  /// What the state of the beginning takes.
  private struct Filled {
    var perID: Double?
    var perWindow: Double?
    /// Resident bytes before the first window.
    var floor: Int64?
  }

  /// Closes all windows, and looks at what is left of them.
  private func close(_ filled: Filled) throws -> PipelineMeasurement {
    let windows = machines.openWindows
    clock += Self.windowMilliseconds
    timed = Timed()
    let watch = Stopwatch()
    while machines.openWindows > 0 {
      let open = machines.openWindows
      let start = ThreadTime.nanoseconds()
      for home in machines.homes { home.pipeline.tick(now: clock) }
      timed.close += ThreadTime.nanoseconds() - start
      guard machines.openWindows < open else {
        throw BenchmarkError("\(open) windows stay open although they are due: this is a fault")
      }
      commit()
    }
    let seconds = watch.seconds
    // The last windows are kept until it is known that their closing is in.
    commit()
    try machines.checkLaw()
    var result = PipelineMeasurement(
      events: windows, seconds: seconds, applyNanoseconds: 0, closeNanoseconds: timed.close,
      sealNanoseconds: timed.seal)
    // What a worker does every ten seconds: the second time, nothing was needed meanwhile.
    for _ in 0..<2 { OutputBuffer.releaseUnusedMemory() }
    MemoryUsage.returnUnused()
    if let floor = filled.floor, let resident = MemoryUsage.residentBytes(), windows > 0 {
      result.bytesKeptPerWindow = Double(resident - floor) / Double(windows)
    }
    complete(&result, filled)
    return result
  }

  /// Adds what was counted, and what is there at the end.
  private func complete(_ result: inout PipelineMeasurement, _ filled: Filled) {
    result.commits = timed.commits
    result.outputRecords = timed.records
    result.outputBytes = timed.bytes
    result.ids = machines.homes.reduce(0) { $0 + $1.pipeline.idCount }
    result.windows = machines.openWindows
    result.bytesPerID = filled.perID
    result.bytesPerWindow = filled.perWindow
    result.peakBytes = ProcessUsage.now().peakBytes
  }

  private func startCounting() {
    commit()
    baseline = MemoryUsage.residentBytes()
    peak = baseline ?? 0
  }

  /// - Parameter pace: thousandths of a millisecond of the clock from one event to the next.
  private func history(
    _ count: Int, prefix: StaticString, type: String, pace: Int64, _ load: EventLoad,
    _ onProgress: (StepProgress) -> Void, recipient: (Int) -> Int
  ) throws {
    let start = clock
    var scratch = OutputBuffer(capacity: 64)
    var progress = Stopwatch()
    for number in 0..<count {
      clock = start + Int64(number) * pace / 1_000
      let recipient = recipient(number)
      let partition = Int(
        recipient < load.homes.count
          ? load.homes[recipient]
          : EventRecord.home(
            ofRecipient: recipient, partitionCount: machines.configuration.partitionCount, scratch: &scratch))
      try event.with(idPrefix: prefix, number: number, type: type, recipient: recipient) { record in
        try machines.apply(record, to: partition, at: clock)
      }
      guard number % 64 == 0 else { continue }
      commitIfFull()
      if progress.seconds > 0.1 {
        progress = Stopwatch()
        onProgress(StepProgress(share: Double(number) / Double(count), count: number, unit: "event"))
      }
    }
    commit()
  }

  // MARK: - The load

  private func pass(
    _ load: inout EventLoad, events: Int, isTimed: Bool, _ onProgress: (StepProgress) -> Void
  ) throws {
    var done = 0
    var progress = Stopwatch()
    while done < events {
      block.removeAll()
      while block.count < min(block.capacity, events - done) {
        let next = load.next()
        try event.with(
          idPrefix: "event-", number: next.number, type: LoadCatalog.shares[next.type].type,
          recipient: next.recipient
        ) { record throws(BenchmarkError) in
          try block.append(record, partition: next.partition)
        }
      }
      try work()
      done += block.count
      if progress.seconds > 0.1 {
        progress = Stopwatch()
        onProgress(
          StepProgress(share: Double(done) / Double(events), count: done, unit: "event"))
      }
    }
  }

  private func work() throws {
    let count = block.count
    var start = ThreadTime.nanoseconds()
    for index in 0..<count {
      let (partition, content) = block[index]
      ticks += 1
      if ticks % eventsPerMillisecond == 0 { clock += 1 }
      try machines.apply(content, to: partition, at: clock)
      if index % 64 == 63, machines.pendingBytes >= machines.configuration.commitBytes {
        timed.apply += ThreadTime.nanoseconds() - start
        commit()
        start = ThreadTime.nanoseconds()
      }
      if ticks % Int64(Self.turn) == 0 {
        let now = ThreadTime.nanoseconds()
        timed.apply += now - start
        for home in machines.homes {
          if let due = home.pipeline.nextDue(), due <= clock { home.pipeline.tick(now: clock) }
        }
        start = ThreadTime.nanoseconds()
        timed.close += start - now
      }
    }
    timed.apply += ThreadTime.nanoseconds() - start
  }

  private func commitIfFull() {
    if machines.pendingBytes >= machines.configuration.commitBytes { commit() }
  }

  private func commit() {
    let start = ThreadTime.nanoseconds()
    let output = machines.commit()
    timed.seal += ThreadTime.nanoseconds() - start
    timed.records += output.records
    timed.bytes += output.bytes
    timed.commits += 1
    guard baseline != nil else { return }
    peak = max(peak, MemoryUsage.residentBytes() ?? 0)
  }

  // MARK: - Decoding alone

  private func runDecoder(_ onProgress: (StepProgress) -> Void) throws -> PipelineMeasurement {
    var decoder = try EventDecoder(limits: EventLimits(maxRecordBytes: 256 << 10))
    var load = EventLoad(seed: options.seed, partitionCount: options.partitions)
    var nanoseconds: Int64 = 0
    var done = 0
    let watch = Stopwatch()
    while done < options.events {
      block.removeAll()
      while block.count < min(block.capacity, options.events - done) {
        let next = load.next()
        try event.with(
          idPrefix: "event-", number: next.number, type: LoadCatalog.shares[next.type].type,
          recipient: next.recipient
        ) { record throws(BenchmarkError) in
          try block.append(record, partition: next.partition)
        }
      }
      let start = ThreadTime.nanoseconds()
      for index in 0..<block.count {
        guard case .event = decoder.decode(block[index].content) else {
          throw BenchmarkError("an event of the load was rejected: this is a fault")
        }
      }
      nanoseconds += ThreadTime.nanoseconds() - start
      done += block.count
      onProgress(
        StepProgress(share: Double(done) / Double(options.events), count: done, unit: "event"))
    }
    return PipelineMeasurement(
      events: options.events, seconds: watch.seconds, applyNanoseconds: nanoseconds, closeNanoseconds: 0,
      sealNanoseconds: 0)
  }
}
