import Contract
import Foundation

@testable import Pipeline

/// A small state log built field by field: every field of a record has a value of its own, and every kind of change
/// occurs. Its bytes in each version of the format are kept in `Fixtures/`.
enum StateFormatExample {
  static let partition: Int32 = 3
  static let partitionCount: Int32 = 8

  static func pipeline() throws -> Fixture {
    try Fixture(partitionCount: partitionCount, partition: partition) { $0.dedupHorizon = 86_400_000 }
  }

  /// The records of the log: the first one, one of changes, a checkpoint in two slices.
  static func log(epoch: UInt64) throws -> [[UInt8]] {
    let fixture = try pipeline()
    fixture.pipeline.beginRestore()
    var records: [[UInt8]] = []
    func add(
      flags: StateRecord.Flags, ledger: Ledger, prefixes: Range<UInt32> = 0..<0,
      _ changes: (inout OutputBuffer) -> Void = { _ in }
    ) throws {
      var buffer = OutputBuffer()
      var changeBuffer = OutputBuffer()
      var slice = OutputBuffer()
      changes(&changeBuffer)
      if !prefixes.isEmpty {
        _ = try fixture.pipeline.endRestore()
        fixture.pipeline.appendImage(of: prefixes, to: &slice)
      }
      StateRecord.append(
        StateRecord.Contents(
          flags: flags, partition: UInt32(partition), partitionCount: UInt32(partitionCount), ledger: ledger,
          changes: changeBuffer.view, slicePrefixes: prefixes, slice: slice.view), to: &buffer)
      records.append(Array(buffer.view.buffer))
      try fixture.pipeline.restore(buffer.view)
    }
    var ledger = ledger(epoch: epoch)
    try add(flags: .genesis, ledger: ledger)
    ledger.sequence += 1
    ledger.fanOut = FanOutProgress(topic: .routed, offset: 1002, next: 70_000)
    try add(flags: [], ledger: ledger, appendChanges)
    ledger.sequence += 1
    ledger.fanOut = nil
    ledger.checkpoint = CheckpointProgress(next: 0x8000, bytes: 4321)
    try add(flags: .checkpointStart, ledger: ledger, prefixes: 0..<0x8000)
    ledger.sequence += 1
    ledger.checkpoint = nil
    try add(flags: .checkpointEnd, ledger: ledger, prefixes: 0x8000..<65_536)
    return records
  }

  private static func ledger(epoch: UInt64) -> Ledger {
    var ledger = Ledger()
    ledger.epoch = epoch
    ledger.sequence = 1
    ledger.decisions = 2
    for (number, topic) in InputTopic.allCases.enumerated() { ledger.positions[topic] = 1001 + Int64(number) }
    ledger.inputClock = 1_700_000_000_000
    ledger.timerClock = 1_700_000_001_000
    var count: Int64 = 100
    func number(_ field: inout Int64) {
      field = count
      count += 1
    }
    ledger.counters.forEachCodedField(number)
    for channel in Channel.allCases { ledger.counters[channel].forEachCodedField(number) }
    ledger.logBytes = 777
    return ledger
  }

  private static func appendChanges(to buffer: inout OutputBuffer) {
    let ids: [UInt64] = [0x0102_0304_0506_0708, 0xF1F2_F3F4_F5F6_F7F8]
    for high in ids {
      let hash = Hash128(high: high, low: ~high)
      Change.idAdded(DedupTable.Entry(hash, minute: 28_333_333)).append(to: &buffer)
    }
    var head = OutputBuffer()
    WindowHead(
      tenant: ByteView("acme"), recipient: ByteView("ann"), channel: .email, group: ByteView("g"),
      category: ByteView("cards"), type: ByteView("card.moved"), title: ByteView("moved"),
      link: ByteView("/c"), digestTitle: ByteView("many"), priority: .critical, itemLimit: 300,
      catalogVersion: 0xCAFE_F00D
    ).append(to: &head)
    var member = OutputBuffer()
    WindowMember(
      notification: Hash128(high: 5, low: 6), actor: 7, expiry: Int64.max, fragment: ByteView("{\"n\":1}")
    ).append(to: &member)
    let keys = [0x1000, 0x9000, 0xA000].map { Hash128(high: UInt64($0) << 48, low: 9) }
    for key in keys {
      Change.windowOpened(
        key: key, id: Hash128(high: 11, low: key.high), opened: 1_700_000_000_500, due: 1_700_000_010_500,
        head: head.view
      ).append(to: &buffer)
      Change.windowAppended(key: key, member: member.view).append(to: &buffer)
    }
    Change.windowRescheduled(key: keys[1], due: 1_700_000_000_501).append(to: &buffer)
    Change.windowClosed(key: keys[2]).append(to: &buffer)
    var collapsing = OutputBuffer()
    for low in [6, 8] as [UInt64] {
      WindowMember(
        notification: Hash128(high: 15, low: low), actor: 0, expiry: 1_700_000_009_000, collapseKey: 16,
        time: 1_699_999_999_000, fragment: .empty
      ).append(to: &collapsing)
    }
    Change.windowAppended(key: keys[0], member: collapsing.view).append(to: &buffer)
    Change.memberWithdrawn(key: keys[0], notification: Hash128(high: 15, low: 6)).append(to: &buffer)
    var skipping = OutputBuffer()
    WindowMember(
      notification: Hash128(high: 15, low: 10), actor: 0, expiry: Int64.max, skipIfSeen: true,
      fragment: .empty
    ).append(to: &skipping)
    Change.windowAppended(key: keys[0], member: skipping.view).append(to: &buffer)
    Change.factSet(
      Fact(.unsubscribed, key: Hash128(high: 0x3000 << 48, low: 12), until: .max, value: FactValue(1, 2))
    ).append(to: &buffer)
    for (key, until) in [(0x2000, Int64.max), (0xB000, 1_700_086_400_000)] as [(UInt64, Int64)] {
      Change.factSet(
        Fact(.retraction, key: Hash128(high: key << 48, low: 12), until: until, value: FactValue(0xFAC7))
      ).append(to: &buffer)
    }
    appendFanOuts(to: &buffer)
  }

  /// Fan-outs to audiences: one that goes on, one that has begun, one that has ended.
  private static func appendFanOuts(to buffer: inout OutputBuffer) {
    for (number, prefix) in [0x3000, 0xC000, 0xD000].enumerated() {
      var event = OutputBuffer()
      event.append(byte: InputTopic.routed.rawValue)
      event.append(littleEndian: Int64(1000 + number))
      let texts = [
        "acme", "board:42", "ce_recipient", "", "ce_id", "e\(number)", "ce_source", "/s", "{\"n\":\(number)}",
      ]
      for (index, text) in texts.enumerated() {
        if index == 2 { event.append(varint: 3) }
        text.withByteView { event.append(lengthPrefixed: $0) }
      }
      var fanOut = FanOut(
        key: Hash128(high: UInt64(prefix) << 48, low: 13), turn: UInt64(5 + number),
        event: Array(event.view.buffer))
      Change.fanOutBegun(fanOut).append(to: &buffer)
      if number == 0 {
        (fanOut.turn, fanOut.next, fanOut.served) = (8, 0xFEED_FACE_0000_0001, 70_001)
        Change.fanOutContinued(fanOut).append(to: &buffer)
      }
      if number == 2 { Change.fanOutEnded(key: fanOut.key).append(to: &buffer) }
    }
  }
}

// MARK: - Snapshot

extension StateFormatExample {
  /// A snapshot of the state after the log, in two slices that belong to different commits.
  static func snapshot(epoch: UInt64) throws -> [UInt8] {
    let fixture = try pipeline()
    _ = try fixture.restore(log(epoch: epoch))
    var encoder = fixture.pipeline.snapshotEncoder(topic: "tidings.state", offset: 41, checkpointStart: 39)
    var file = encoder.begin()
    for (sequence, prefixes) in [(4, 0..<0x8000), (5, 0x8000..<65_536)] as [(UInt64, Range<UInt32>)] {
      var image = OutputBuffer()
      fixture.pipeline.appendImage(of: prefixes, to: &image)
      file += encoder.block(
        of: SnapshotSlice(sequence: sequence, prefixes: prefixes, image: Array(image.view.buffer)))
    }
    return file + encoder.end()
  }
}

// MARK: - Files

extension StateFormatExample {
  private static var folder: URL {
    URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent("Fixtures")
  }

  /// The records of a fixture: a line of hexadecimal digits each; lines that begin with `#` are comments.
  static func fixture(_ name: String) throws -> [[UInt8]] {
    try String(contentsOf: folder.appendingPathComponent(name), encoding: .utf8)
      .split(separator: "\n").filter { !$0.hasPrefix("#") }.map(bytes)
  }

  static func hex(_ bytes: [UInt8]) -> String {
    bytes.map { String(format: "%02x", $0) }.joined()
  }

  private static func bytes(_ line: Substring) throws -> [UInt8] {
    let digits = Array(line.utf8)
    return try stride(from: 0, to: digits.count - 1, by: 2).map { index in
      let pair = String(decoding: digits[index...index + 1], as: UTF8.self)
      guard let byte = UInt8(pair, radix: 16) else { throw NotHexadecimal(digits: pair) }
      return byte
    }
  }

  struct NotHexadecimal: Error { let digits: String }
}
