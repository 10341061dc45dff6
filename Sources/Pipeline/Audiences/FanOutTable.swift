import Contract

/// The fan-outs of a partition that are not finished: few, and each small beside its audience.
struct FanOutTable {
  private var fanOuts: [Hash128: FanOut] = [:]
  /// What they take, in bytes.
  private(set) var bytes = 0

  var count: Int { fanOuts.count }

  func find(_ key: Hash128) -> FanOut? { fanOuts[key] }

  /// The one whose turn it is.
  var first: FanOut? { fanOuts.values.min { $0.turn < $1.turn } }

  /// The turn of one that goes behind all others.
  var nextTurn: UInt64 { (fanOuts.values.lazy.map(\.turn).max() ?? 0) + 1 }

  mutating func set(_ fanOut: FanOut) {
    bytes += fanOut.byteCount - (fanOuts[fanOut.key]?.byteCount ?? 0)
    fanOuts[fanOut.key] = fanOut
  }

  mutating func remove(_ key: Hash128) {
    guard let removed = fanOuts.removeValue(forKey: key) else { return }
    bytes -= removed.byteCount
  }

  /// Forgets all whose key has its top 16 bits within `prefixes`.
  mutating func remove(prefixes: Range<UInt32>) {
    for key in fanOuts.keys where prefixes.contains(UInt32(key.high >> 48)) { remove(key) }
  }

  /// Those whose key has its top 16 bits within `prefixes`, in the order of the keys.
  func entries(prefixes: Range<UInt32>) -> [FanOut] {
    guard !fanOuts.isEmpty else { return [] }
    return fanOuts.values.filter { prefixes.contains(UInt32($0.key.high >> 48)) }.sorted { $0.key < $1.key }
  }
}
