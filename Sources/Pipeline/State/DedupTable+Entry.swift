import Contract

extension DedupTable {
  /// A hash with its minute.
  struct Entry: Equatable, Comparable {
    var high: UInt64
    var low: UInt64

    static let minuteMask: UInt64 = (1 << 26) - 1
    /// The field of a slot that was never used.
    static let emptyField: UInt64 = 0
    /// The field of a slot whose entry was taken back; it is free for the same hash and goes with the next rebuild.
    static let undoneField: UInt64 = 1
    /// What is added to a minute so that it differs from the two marks.
    static let fieldBase: UInt64 = 2

    init(high: UInt64, low: UInt64) {
      self.high = high
      self.low = low
    }

    /// - Parameter minute: since 1970; 26 bits reach to the year 2097, later ones are clamped.
    init(_ hash: Hash128, minute: Int64) {
      let field = UInt64(min(max(minute, 0), Int64(Entry.minuteMask - Entry.fieldBase))) + Entry.fieldBase
      self.high = hash.high & ~Entry.minuteMask | field
      self.low = hash.low
    }

    var field: UInt64 { high & Entry.minuteMask }
    var isLive: Bool { field >= Entry.fieldBase }
    var minute: Int64 { Int64(truncatingIfNeeded: field) &- Int64(Entry.fieldBase) }
    /// The upper half without the minute.
    var identity: UInt64 { high & ~Entry.minuteMask }

    static func < (left: Entry, right: Entry) -> Bool {
      left.high == right.high ? left.low < right.low : left.high < right.high
    }
  }
}
