/// The content of a TZif file, as RFC 9636 lays it out.
struct TZifFile {
  /// Instant and number of the type of each change.
  var changes: [(instant: Int64, type: UInt8)]
  /// The offsets of the local time types.
  var types: [Int32]
  /// The rule in the footer.
  var rule: String
  var version: Character = "2"
  var leapSeconds: UInt32 = 0

  var bytes: [UInt8] {
    // From version 2 on nobody reads the first block; it may be empty but for one type.
    let first = header(changes: 0, types: 1) + [0, 0, 0, 0, 0, 0] + [0]
    if version == "\0" { return block(size: 4) }
    return first + block(size: 8) + [0x0A] + Array(rule.utf8) + [0x0A]
  }

  private func block(size: Int) -> [UInt8] {
    var bytes = header(changes: changes.count, types: types.count)
    for change in changes { bytes += TZifFile.integer(change.instant, size) }
    bytes += changes.map(\.type)
    for offset in types { bytes += TZifFile.integer(Int64(offset), 4) + [0, 0] }
    bytes.append(0)
    for leap in 0..<leapSeconds { bytes += TZifFile.integer(78_796_800 + Int64(leap), size) + [0, 0, 0, 1] }
    return bytes
  }

  private func header(changes: Int, types: Int) -> [UInt8] {
    let isFirst = changes == 0 && types == 1 && self.types.count != 1
    let counts = [0, 0, isFirst ? 0 : Int64(leapSeconds), Int64(changes), Int64(types), 1]
    let versionByte = version == "\0" ? 0 : version.asciiValue ?? 0
    return Array("TZif".utf8) + [versionByte] + [UInt8](repeating: 0, count: 15)
      + counts.flatMap { TZifFile.integer($0, 4) }
  }

  private static func integer(_ value: Int64, _ size: Int) -> [UInt8] {
    (0..<size).reversed().map { UInt8(truncatingIfNeeded: value >> Int64($0 * 8)) }
  }
}
