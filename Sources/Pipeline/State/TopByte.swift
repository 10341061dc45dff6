/// Tables and snapshots that are cut by the top byte of a hash.
enum TopByte {
  static let count = 256

  static func of(_ high: UInt64) -> Int { Int(truncatingIfNeeded: high >> 56) }

  /// Those of the hashes whose top 16 bits are within `prefixes`.
  static func range(of prefixes: Range<UInt32>) -> Range<Int> {
    prefixes.isEmpty ? 0..<0 : Int(prefixes.lowerBound >> 8)..<Int((prefixes.upperBound + 255) >> 8)
  }
}
