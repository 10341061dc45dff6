import Contract

@testable import Pipeline

/// The content of a state record as text, field by field, so that a test can say what it expects.
enum StateDescription {
  static func describe(_ bytes: [UInt8]) throws -> String {
    try bytes.withUnsafeBytes { buffer in
      let record = try StateRecord.decode(ByteView(buffer))
      var lines = [header(record)]
      var reader = ByteReader(record.changes)
      while !reader.isAtEnd {
        guard let change = Change(&reader) else { throw StateFault.torn }
        lines.append(try describe(change, version: record.version))
      }
      if !record.slicePrefixes.isEmpty {
        lines.append("slice \(record.slicePrefixes)")
        lines += try image(record.slice, version: record.version)
      }
      return lines.joined(separator: "\n")
    }
  }

  /// The ids, windows and facts of an image.
  static func image(_ bytes: ByteView, version: UInt8) throws -> [String] {
    var reader = ByteReader(bytes)
    var lines: [String] = []
    guard let idCount = reader.integer(UInt32.self) else { throw StateFault.torn }
    for _ in 0..<idCount {
      guard let id = reader.hash() else { throw StateFault.torn }
      lines.append(describe(DedupTable.Entry(high: id.high, low: id.low)))
    }
    guard let windowCount = reader.integer(UInt32.self) else { throw StateFault.torn }
    for _ in 0..<windowCount {
      guard let key = reader.hash(), let id = reader.hash(), let opened = reader.integer(Int64.self),
        let due = reader.integer(Int64.self), let headLength = reader.integer(UInt32.self),
        let block = reader.lengthPrefixed()
      else { throw StateFault.torn }
      let head = try head(block.slice(0..<Int(headLength)))
      let members = try members(block.slice(Int(headLength)..<block.count), version: version)
      lines.append("window \(key.hex) \(id.hex) \(opened) \(due) \(head) \(members.joined(separator: " "))")
    }
    if version >= 3 {
      guard let factCount = reader.integer(UInt32.self) else { throw StateFault.torn }
      for _ in 0..<factCount {
        guard let key = reader.hash(), let fact = Fact(key: key, &reader) else { throw StateFault.torn }
        lines.append(describe(fact))
      }
    }
    if !reader.isAtEnd {
      guard let fanOutCount = reader.integer(UInt32.self) else { throw StateFault.torn }
      for _ in 0..<fanOutCount {
        guard let key = reader.hash(), let fanOut = FanOut(key: key, &reader) else { throw StateFault.torn }
        lines.append("fan-out \(describe(fanOut))")
      }
    }
    guard reader.isAtEnd else { throw StateFault.torn }
    return lines
  }

  private static func header(_ record: StateRecord.Contents) -> String {
    let ledger = record.ledger
    let positions = InputTopic.allCases.map { "\(ledger.positions[$0])" }.joined(separator: ",")
    let counters = describe(ledger.counters)
    let fanOut = ledger.fanOut.map { "\($0.topic.rawValue)@\($0.offset)+\($0.next)" } ?? "none"
    let checkpoint = ledger.checkpoint.map { "\($0.next)+\($0.bytes)" } ?? "none"
    return "flags=\(record.flags.rawValue) partition=\(record.partition)/\(record.partitionCount) "
      + "epoch=\(ledger.epoch) sequence=\(ledger.sequence) decisions=\(ledger.decisions) "
      + "positions=\(positions) clocks=\(ledger.inputClock),\(ledger.timerClock) counters=\(counters) "
      + "fanOut=\(fanOut) checkpoint=\(checkpoint) log=\(ledger.logBytes)"
  }

  static func describe(_ counters: Counters) -> String {
    var counters = counters
    var counts: [String] = []
    counters.forEachCodedField { counts.append("\($0)") }
    for channel in Channel.allCases { counters[channel].forEachCodedField { counts.append("\($0)") } }
    return counts.joined(separator: ",")
  }

  private static func describe(_ change: Change, version: UInt8) throws -> String {
    switch change {
    case .idAdded(let entry): describe(entry)
    case .windowOpened(let key, let id, let opened, let due, let bytes):
      "opened \(key.hex) \(id.hex) \(opened) \(due) \(try head(bytes))"
    case .windowAppended(let key, let bytes):
      "appended \(key.hex) \(try members(bytes, version: version).joined(separator: " "))"
    case .windowRescheduled(let key, let due): "rescheduled \(key.hex) \(due)"
    case .windowTrimmed(let key, let byteLimit): "trimmed \(key.hex) \(byteLimit)"
    case .windowClosed(let key): "closed \(key.hex)"
    case .factSet(let fact): describe(fact)
    case .memberWithdrawn(let key, let notification): "withdrawn \(key.hex) \(notification.hex)"
    case .fanOutBegun(let fanOut): "fan-out begun \(describe(fanOut))"
    case .fanOutContinued(let fanOut):
      "fan-out continued \(fanOut.key.hex) \(fanOut.turn) \(fanOut.next) \(fanOut.served)"
    case .fanOutEnded(let key): "fan-out ended \(key.hex)"
    }
  }

  private static func describe(_ fanOut: FanOut) -> String {
    let pending = PendingFanOut(fanOut)
    return "\(fanOut.key.hex) \(fanOut.turn) \(fanOut.next) \(fanOut.served) "
      + "\(pending?.tenant ?? "")/\(pending?.audience ?? "") \(pending?.source ?? "") \(pending?.event ?? "") "
      + "\(pending?.topic.name ?? "")@\(pending?.offset ?? -1)"
  }

  private static func describe(_ fact: Fact) -> String {
    "fact \(fact.key.hex) \(fact.kind) \(fact.until) \(fact.value.count):\(fact.value.number)"
  }

  private static func describe(_ entry: DedupTable.Entry) -> String {
    let halves = Hash128(high: entry.identity, low: entry.low).hex
    return "id \(halves.prefix(16)) \(entry.minute) \(halves.suffix(16))"
  }

  private static func head(_ bytes: ByteView) throws -> String {
    var reader = ByteReader(bytes)
    guard let head = WindowHead(&reader), reader.isAtEnd else { throw StateFault.torn }
    let names = [head.group, head.category, head.type, head.title, head.link, head.digestTitle]
      .map(\.string).joined(separator: " ")
    return "head{\(head.tenant.string)/\(head.recipient.string) \(head.channel.name) \(names) "
      + "\(head.priority) \(head.itemLimit) \(StateFault.hex(head.catalogVersion))}"
  }

  private static func members(_ bytes: ByteView, version: UInt8) throws -> [String] {
    var buffer = OutputBuffer()
    if version < 3 {
      guard EarlierMember.convert(bytes, into: &buffer) else { throw StateFault.torn }
    } else {
      buffer.append(bytes)
    }
    var reader = ByteReader(buffer.view)
    var members: [String] = []
    while !reader.isAtEnd {
      guard let member = WindowMember(&reader) else { throw StateFault.torn }
      members.append(
        "member{\(member.notification.hex) \(member.actor) \(member.expiry) "
          + (member.skipIfSeen ? "skipIfSeen " : "") + (member.isCritical ? "critical " : "")
          + (member.collapseKey == 0 ? "" : "\(member.collapseKey)@\(member.time) ")
          + "\(member.fragment.string)}")
    }
    return members
  }
}
