import Contract
import SeededTesting
import Testing

@testable import Pipeline

@Suite struct SnapshotTests {
  static let topic = "tidings.state"

  /// A pipeline that is driven through a random history with aborts and checkpoints, while a snapshot is written
  /// slice by slice, as a worker would.
  private final class Run {
    let fixture: Fixture
    var history: RandomHistory
    var generator: SeededGenerator
    var encoder: SnapshotEncoder?
    var file: [UInt8] = []
    /// The topic of the recipients by offset, as it was written last.
    var recipients: [Int64: TestRecord] = [:]
    var next: UInt32 = 0
    var isWhole: Bool { next == 65_536 }

    static func configure(_ configuration: inout Pipeline.Configuration) {
      configuration.checkpointFloor = 20_000
      configuration.checkpointSliceLimit = 4_000
      configuration.dedupHorizon = 60_000
    }

    init(seed: UInt64) throws {
      fixture = try Fixture(configure: Self.configure)
      history = RandomHistory(seed: seed)
      generator = SeededGenerator(seed: seed &+ 1)
    }

    func apply() throws {
      for _ in 0..<Int.random(in: 1...25, using: &generator) {
        let record = history.next()
        if record.topic == .recipients { recipients[fixture.positions[.recipients]] = record }
        try fixture.apply(record, now: history.now)
      }
      fixture.pipeline.tick(now: history.now)
    }

    /// One commit, which may fail; with a slice of the snapshot where one is being written.
    func commit(writingSlices: Bool) throws {
      try apply()
      let (_, bytes) = fixture.seal()
      let slice =
        writingSlices && Bool.random(using: &generator)
        ? fixture.pipeline.snapshotSlice(from: next, limit: 600) : nil
      // The next batch is decided before the outcome is known.
      if Bool.random(using: &generator) { try apply() }
      if Int.random(in: 0..<4, using: &generator) == 0 { return fixture.pipeline.rollback() }
      fixture.pipeline.confirm()
      fixture.log.append(bytes)
      if let slice { keep(slice) }
      if Int.random(in: 0..<3, using: &generator) == 0 {
        fixture.pipeline.rollback()
        // Nothing is under way: memory is the state of the last commit.
        if writingSlices, !isWhole, let slice = fixture.pipeline.snapshotSlice(from: next, limit: 600) {
          keep(slice)
        }
      }
    }

    func keep(_ slice: SnapshotSlice) {
      if encoder == nil {
        encoder = fixture.pipeline.snapshotEncoder(
          topic: SnapshotTests.topic, offset: Int64(fixture.log.count - 1), checkpointStart: nil)
        file = encoder?.begin() ?? []
      }
      file += encoder?.block(of: slice) ?? []
      next = slice.prefixes.upperBound
      if isWhole { file += encoder?.end() ?? [] }
    }
  }

  /// Loads a file, and then reads the log from its position on.
  private static func load(
    _ file: [UInt8], topic: String = SnapshotTests.topic, into fixture: Fixture, log: [[UInt8]]
  ) throws -> SnapshotHeader {
    let header = try loadFile(file, topic: topic, into: fixture)
    for record in log[Int(header.offset)...] {
      _ = try record.withUnsafeBytes { try fixture.pipeline.restore(ByteView($0)) }
    }
    _ = try fixture.pipeline.endRestore()
    return header
  }

  @discardableResult
  static func loadFile(
    _ file: [UInt8], topic: String = SnapshotTests.topic, into fixture: Fixture
  ) throws -> SnapshotHeader {
    var decoder = SnapshotDecoder(size: Int64(file.count), topic: topic)
    try file.withUnsafeBytes { bytes in
      while let wanted = decoder.wanted {
        let view = ByteView(bytes).slice(
          Int(max(0, wanted.offset))..<Int(max(0, wanted.offset)) + wanted.count)
        try decoder.read(view, into: &fixture.pipeline)
      }
    }
    return try #require(decoder.header)
  }

  @Test(
    "a snapshot in slices of many commits, and the log from its position on, give the state of the log's end",
    arguments: 0..<12 as Range<UInt64>)
  func fuzzy(seed: UInt64) throws {
    let run = try Run(seed: seed)
    for _ in 0..<Int.random(in: 5..<120, using: &run.generator) { try run.commit(writingSlices: false) }
    var rounds = 0
    while !run.isWhole {
      try run.commit(writingSlices: true)
      rounds += 1
    }
    for _ in 0..<30 { try run.commit(writingSlices: false) }
    run.fixture.pipeline.rollback()
    let encoder = try #require(run.encoder)
    #expect(rounds > 1)
    #expect(encoder.lastSequence > encoder.sequence, "seed \(seed): all slices belong to one commit")

    // The log may end anywhere behind the newest slice.
    for end in Int(encoder.lastSequence)...run.fixture.log.count
    where end % 5 == 0 || end == run.fixture.log.count {
      let log = Array(run.fixture.log[..<end])
      let loaded = try Fixture(configure: Run.configure)
      let header = try Self.load(run.file, into: loaded, log: log)
      #expect(header.epoch == Fixture.epoch)
      let restored = try Fixture(configure: Run.configure)
      #expect(try restored.restore(log))
      #expect(loaded.image() == restored.image(), "seed \(seed), log of \(end) records")
      #expect(loaded.nextDue() == restored.nextDue(), "seed \(seed)")
    }
    let loaded = try Fixture(configure: Run.configure)
    _ = try Self.load(run.file, into: loaded, log: run.fixture.log)
    #expect(loaded.image() == run.fixture.image(), "seed \(seed)")

    // But not before it.
    let short = Array(run.fixture.log[..<Int(encoder.lastSequence - 1)])
    let ahead = StateFault.snapshotAhead(sequence: encoder.lastSequence, end: encoder.lastSequence - 1)
    #expect(throws: ahead) {
      _ = try Self.load(run.file, into: Fixture(configure: Run.configure), log: short)
    }
  }

  @Test(
    "what was loaded goes on as what was never stopped: same output, same state",
    arguments: 0..<6 as Range<UInt64>)
  func continues(seed: UInt64) throws {
    let run = try Run(seed: seed)
    for _ in 0..<40 { try run.commit(writingSlices: false) }
    while !run.isWhole { try run.commit(writingSlices: true) }
    run.fixture.pipeline.rollback()
    let loaded = try Fixture(configure: Run.configure)
    _ = try Self.load(run.file, into: loaded, log: run.fixture.log)
    // The recipients' table is read from its topic, not from state.
    for (offset, record) in run.recipients.sorted(by: { $0.key < $1.key })
    where offset < loaded.positions[.recipients] {
      loaded.load(record, offset: offset)
    }
    /// The state, apart from how far the next checkpoint is, and from what is counted for metrics alone.
    func state(_ fixture: Fixture) -> (ledger: Ledger, content: [UInt8]) {
      var ledger = fixture.pipeline.ledger
      (ledger.checkpoint, ledger.logBytes) = (nil, 0)
      (ledger.rejections, ledger.engagements) = ([], [])
      var buffer = OutputBuffer()
      fixture.pipeline.appendImage(of: 0..<65_536, to: &buffer)
      return (ledger, Array(buffer.view.buffer))
    }
    let before = loaded.counters.email
    for round in 0..<20 {
      for _ in 0..<20 {
        let record = run.history.next()
        for fixture in [run.fixture, loaded] { try fixture.apply(record, now: run.history.now) }
      }
      for fixture in [run.fixture, loaded] { fixture.pipeline.tick(now: run.history.now) }
      #expect(loaded.output() == run.fixture.output(), "seed \(seed), round \(round)")
      for fixture in [run.fixture, loaded] { fixture.commit() }
      let (found, expected) = (state(loaded), state(run.fixture))
      #expect(found.ledger == expected.ledger, "seed \(seed), round \(round)")
      #expect(found.content == expected.content, "seed \(seed), round \(round)")
    }
    #expect(loaded.counters.email.delivered > before.delivered)
  }

  @Test(
    "a whole image of the last commit is a snapshot that needs no more of the log than that commit's record")
  func wholeImage() throws {
    let run = try Run(seed: 77)
    for _ in 0..<50 { try run.commit(writingSlices: false) }
    run.fixture.pipeline.rollback()
    while !run.isWhole {
      let slice = run.fixture.pipeline.snapshotSlice(from: run.next, limit: 1_000)
      run.keep(try #require(slice))
    }
    let loaded = try Fixture(configure: Run.configure)
    let header = try Self.load(run.file, into: loaded, log: run.fixture.log)
    #expect(header.offset == Int64(run.fixture.log.count - 1))
    #expect(loaded.image() == run.fixture.image())
  }

  @Test("no slice is taken while something is applied that no commit holds, or before there is any state")
  func unconfirmed() throws {
    let fixture = try Fixture()
    func slice() -> SnapshotSlice? { fixture.pipeline.snapshotSlice(from: 0, limit: 1 << 20) }
    #expect(slice() == nil)
    fixture.commit()
    #expect(slice()?.sequence == 1)
    try fixture.apply(.event(id: "1"))
    #expect(slice() == nil)
    _ = fixture.seal()
    #expect(slice()?.sequence == 2)
    try fixture.apply(.event(id: "2"))
    #expect(slice() == nil)
    fixture.pipeline.rollback()
    #expect(slice()?.sequence == 1)
  }

  // MARK: - Files that are not used

  private static func whole(seed: UInt64 = 5) throws -> Run {
    let run = try Run(seed: seed)
    for _ in 0..<12 { try run.commit(writingSlices: false) }
    while !run.isWhole { try run.commit(writingSlices: true) }
    for _ in 0..<5 { try run.commit(writingSlices: false) }
    run.fixture.pipeline.rollback()
    return run
  }

  @Test("a file that is cut off anywhere is damaged, and no crash")
  func truncated() throws {
    let file = try Self.whole().file
    let fixture = try Fixture(configure: Run.configure)
    var generator = SeededGenerator.printed()
    let lengths = Array(0..<40) + (0..<300).map { _ in Int.random(in: 40..<file.count, using: &generator) }
    for length in lengths + [file.count - 1] {
      let expected: SnapshotFault = length < SnapshotFormat.preludeBytes ? .notASnapshot : .torn
      #expect(throws: expected, "\(length) of \(file.count) bytes") {
        try Self.loadFile(Array(file[..<length]), into: fixture)
      }
    }
    #expect(throws: SnapshotFault.torn) { try Self.loadFile(file + [0], into: fixture) }
    #expect(throws: SnapshotFault.torn) { try Self.loadFile(file + file, into: fixture) }
    try Self.loadFile(file, into: fixture)
  }

  @Test("a flipped bit anywhere is seen, and no crash", arguments: 0..<4 as Range<UInt64>)
  func bitFlips(seed: UInt64) throws {
    let file = try Self.whole().file
    let fixture = try Fixture(configure: Run.configure)
    var generator = SeededGenerator(seed: seed)
    for step in 0..<400 {
      var damaged = file
      // The first bytes are where lengths and kinds are: each of them, then anywhere.
      let position = step < 40 ? step : Int.random(in: 0..<file.count, using: &generator)
      damaged[position] ^= 1 << UInt8.random(in: 0..<8, using: &generator)
      #expect(throws: SnapshotFault.self, "seed \(seed), byte \(position)") {
        try Self.loadFile(damaged, into: fixture)
      }
    }
  }

  @Test(
    "bytes that are moved, repeated or left out are seen, and no crash", arguments: 0..<4 as Range<UInt64>)
  func splices(seed: UInt64) throws {
    let file = try Self.whole().file
    let other = try Self.whole(seed: 6).file
    let fixture = try Fixture(configure: Run.configure)
    var generator = SeededGenerator(seed: seed)
    for _ in 0..<200 {
      let from = Int.random(in: 0..<file.count, using: &generator)
      let to = Int.random(in: 0..<file.count, using: &generator)
      let length = Int.random(in: 1..<2_000, using: &generator)
      let source = Bool.random(using: &generator) ? file : other
      var damaged = file
      let piece = source[min(from, source.count)..<min(from + length, source.count)]
      damaged.replaceSubrange(
        to..<min(to + (Bool.random(using: &generator) ? length : 0), damaged.count), with: piece)
      guard damaged != file else { continue }
      #expect(throws: SnapshotFault.self, "seed \(seed)") { try Self.loadFile(damaged, into: fixture) }
    }
  }

  @Test("after a file that was no good the log restores as if there had been none")
  func afterFault() throws {
    let run = try Self.whole()
    let fixture = try Fixture(configure: Run.configure)
    var damaged = run.file
    damaged[damaged.count - SnapshotFormat.endBlockBytes - 20] ^= 4
    #expect(throws: SnapshotFault.torn) { try Self.loadFile(damaged, into: fixture) }
    #expect(try fixture.restore(run.fixture.log))
    #expect(fixture.image() == run.fixture.image())
  }

  @Test("a snapshot of another topic, partition, number of partitions or format says what it is")
  func foreign() throws {
    let run = try Self.whole()
    let file = run.file
    #expect(throws: SnapshotFault.foreignTopic(found: "tidings.state", expected: "other.state")) {
      try Self.loadFile(file, topic: "other.state", into: Fixture())
    }
    #expect(throws: SnapshotFault.foreignPartition(found: 0, expected: 3)) {
      try Self.loadFile(file, into: Fixture(partitionCount: 4, partition: 3))
    }
    #expect(throws: SnapshotFault.partitionCountChanged(found: 1, expected: 4)) {
      try Self.loadFile(file, into: Fixture(partitionCount: 4, partition: 0))
    }
    var newer = file
    newer[4] = 9
    #expect(throws: SnapshotFault.unknownVersion(9)) { try Self.loadFile(newer, into: Fixture()) }
    #expect(throws: SnapshotFault.notASnapshot) {
      try Self.loadFile(Array("hello, this is text".utf8), into: Fixture())
    }
    #expect(throws: SnapshotFault.notASnapshot) { try Self.loadFile([], into: Fixture()) }
  }

  @Test("a log that does not go on from the snapshot is no wrong start: another epoch, record, hole or end")
  func otherLogs() throws {
    let run = try Self.whole()
    let encoder = try #require(run.encoder)
    let sequence = encoder.sequence
    let log = run.fixture.log
    let anchor = Int(encoder.offset)
    func load(_ log: [[UInt8]]) throws {
      _ = try Self.load(run.file, into: Fixture(configure: Run.configure), log: log)
    }
    try load(log)

    // The same commits, in another history of the partition.
    let other = try Run(seed: 5)
    other.fixture.pipeline.beginRestore()
    var positions = InputPositions()
    for topic in InputTopic.allCases { positions[topic] = 0 }
    other.fixture.pipeline.start(at: positions, epoch: 99)
    for _ in 0..<log.count { other.fixture.commit() }
    #expect(throws: StateFault.foreignEpoch(found: 99, expected: Fixture.epoch)) {
      try load(other.fixture.log)
    }

    // The same history, but this record says something else than the snapshot.
    let branch = try Fixture()
    for _ in 0..<log.count { branch.commit() }
    #expect(throws: StateFault.otherRecord(sequence: sequence)) { try load(branch.log) }

    #expect(throws: StateFault.hole(after: sequence - 1, found: sequence + 1)) {
      var shifted = log
      shifted.remove(at: anchor)
      try load(shifted)
    }
    #expect(throws: StateFault.hole(after: sequence, found: sequence + 2)) {
      var holed = log
      holed.remove(at: anchor + 1)
      try load(holed)
    }
    #expect(throws: StateFault.snapshotAhead(sequence: encoder.lastSequence, end: nil)) {
      try load(Array(log[..<anchor]))
    }
  }
}
