/// A set of completed offsets as ascending ranges that do not touch.
public struct CompletedOffsets: Equatable, Sendable {
  /// The ranges, ascending.
  public private(set) var ranges: [ClosedRange<Int64>]

  /// A set of ranges in any order; those that overlap or touch are joined.
  public init(_ ranges: [ClosedRange<Int64>] = []) {
    self.ranges = []
    for range in ranges.sorted(by: { $0.lowerBound < $1.lowerBound }) {
      if let last = self.ranges.last,
        range.lowerBound <= last.upperBound || range.lowerBound - 1 == last.upperBound
      {
        self.ranges[self.ranges.count - 1] = last.lowerBound...max(last.upperBound, range.upperBound)
      } else {
        self.ranges.append(range)
      }
    }
  }

  /// Whether there is none.
  public var isEmpty: Bool { ranges.isEmpty }

  /// Whether the offset is in the set.
  public func contains(_ offset: Int64) -> Bool {
    var low = 0
    var high = ranges.count
    while low < high {
      let middle = (low + high) / 2
      if ranges[middle].upperBound < offset { low = middle + 1 } else { high = middle }
    }
    return low < ranges.count && ranges[low].contains(offset)
  }

  /// Removes everything up to and including `offset`.
  public mutating func remove(upTo offset: Int64) {
    let kept = ranges.drop { $0.upperBound <= offset }
    guard kept.count != ranges.count || (kept.first?.lowerBound ?? .max) <= offset else { return }
    ranges = kept.map { max($0.lowerBound, offset + 1)...$0.upperBound }
  }
}
