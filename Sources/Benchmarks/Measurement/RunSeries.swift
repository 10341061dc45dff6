/// The results of several runs of one thing: their median, and how far apart they are.
public struct RunSeries: Sendable, Equatable {
  /// The values in the order of the runs.
  public private(set) var values: [Double]

  /// A series; it may be empty.
  public init(_ values: [Double]) { self.values = values }

  mutating func append(_ value: Double) { values.append(value) }

  /// The value in the middle, or the mean of the two in the middle; nil without values.
  public var median: Double? {
    guard !values.isEmpty else { return nil }
    let sorted = values.sorted()
    let middle = sorted.count / 2
    return sorted.count.isMultiple(of: 2) ? (sorted[middle - 1] + sorted[middle]) / 2 : sorted[middle]
  }

  /// The smallest and the largest value; nil without values.
  public var range: ClosedRange<Double>? {
    guard let least = values.min(), let most = values.max() else { return nil }
    return least...most
  }
}

extension RunSeries: Encodable {
  private enum Key: String, CodingKey { case median, min, max, values }

  /// Writes median, min and max beside the values.
  public func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: Key.self)
    try container.encodeIfPresent(median, forKey: .median)
    try container.encodeIfPresent(range?.lowerBound, forKey: .min)
    try container.encodeIfPresent(range?.upperBound, forKey: .max)
    try container.encode(values, forKey: .values)
  }
}
