extension ZoneOffsets {
  /// A zone from the content of a TZif file (RFC 9636), as the system's tzdata has one for each zone.
  ///
  /// Versions 1 to 4 are read; from 2 on the 64-bit data and the footer, whose rule gives the changes after the last
  /// listed one, up to 2100. Nil for what is no TZif file, is damaged, or counts leap seconds (a `right/` zone).
  convenience init?(tzif bytes: [UInt8], name: String) {
    var reader = TZifReader(bytes: bytes)
    guard let first = reader.header() else { return nil }
    var (counts, timeSize) = (first, 4)
    if first.version >= 2 {
      reader.skip(first.dataLength(timeSize: 4))
      guard let second = reader.header() else { return nil }
      (counts, timeSize) = (second, 8)
    }
    guard counts.leapSeconds == 0, counts.types > 0,
      let instants = reader.integers(counts.changes, size: timeSize),
      let kinds = reader.bytes(counts.changes),
      let types = reader.offsets(counts.types), kinds.allSatisfy({ $0 < types.count }),
      zip(instants, instants.dropFirst()).allSatisfy({ $0 < $1 })
    else { return nil }
    var changes = zip(instants, kinds).map { Change(instant: $0, offset: types[Int($1)]) }
    if timeSize == 8 {
      reader.skip(counts.names + counts.standardFlags + counts.universalFlags)
      guard let footer = reader.footer() else { return nil }
      if !footer.isEmpty {
        let last = changes.last
        guard let rule = POSIXZoneRule(footer), rule.agrees(withOffset: last?.offset ?? types[0]) else {
          return nil
        }
        changes += rule.changes(after: last?.instant ?? 0)
      }
    }
    self.init(name: name, firstOffset: types[0], changes: changes)
  }
}

/// Reads the fields of a TZif file in their order, within its bounds.
private struct TZifReader {
  let bytes: [UInt8]
  var position = 0

  /// The counts of a data block.
  struct Counts {
    let version: Int
    let universalFlags: Int
    let standardFlags: Int
    let leapSeconds: Int
    let changes: Int
    let types: Int
    let names: Int

    /// The length of the data block that follows the header.
    func dataLength(timeSize: Int) -> Int {
      changes * (timeSize + 1) + types * 6 + names + leapSeconds * (timeSize + 4) + standardFlags
        + universalFlags
    }
  }

  /// Against counts that no zone has: the largest file of the database has 236 changes.
  private static let maxCount = 10_000

  mutating func header() -> Counts? {
    guard let start = take(20), Array(start.prefix(4)) == Array("TZif".utf8) else { return nil }
    let version = start[start.startIndex + 4]
    guard version == 0 || (UInt8(ascii: "2")...UInt8(ascii: "9")).contains(version),
      let counts = integers(6, size: 4), counts.allSatisfy({ (0...Int64(TZifReader.maxCount)).contains($0) })
    else { return nil }
    return Counts(
      version: version == 0 ? 1 : Int(version - UInt8(ascii: "0")), universalFlags: Int(counts[0]),
      standardFlags: Int(counts[1]), leapSeconds: Int(counts[2]), changes: Int(counts[3]),
      types: Int(counts[4]), names: Int(counts[5]))
  }

  mutating func skip(_ count: Int) { position = min(bytes.count, position + count) }

  mutating func take(_ count: Int) -> ArraySlice<UInt8>? {
    guard count <= bytes.count - position else { return nil }
    defer { position += count }
    return bytes[position..<(position + count)]
  }

  mutating func bytes(_ count: Int) -> [UInt8]? { take(count).map(Array.init) }

  /// Signed integers in network order.
  mutating func integers(_ count: Int, size: Int) -> [Int64]? {
    guard let slice = take(count * size) else { return nil }
    return stride(from: slice.startIndex, to: slice.endIndex, by: size).map { start in
      let negative = slice[start] >= 0x80
      return slice[start..<(start + size)].reduce(negative ? -1 : 0) { $0 << 8 | Int64($1) }
    }
  }

  /// The offsets of local time types; nil where one is farther from UTC than a day and an hour.
  mutating func offsets(_ count: Int) -> [Int64]? {
    var offsets: [Int64] = []
    for _ in 0..<count {
      guard let offset = integers(1, size: 4)?.first, abs(offset) <= 90_000, take(2) != nil else {
        return nil
      }
      offsets.append(offset)
    }
    return offsets
  }

  /// The text between the two line ends that close the file.
  mutating func footer() -> String? {
    guard take(1)?.first == 0x0A, let end = bytes[position...].firstIndex(of: 0x0A) else { return nil }
    return String(validating: bytes[position..<end], as: UTF8.self)
  }
}
