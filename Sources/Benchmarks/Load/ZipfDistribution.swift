import Foundation

/// Ranks 0..<count of which the k-th is drawn with a weight of 1/(k+1)^exponent: few recipients get much, many a little.
struct ZipfDistribution {
  /// The sums of the weights up to each rank, as shares of the whole.
  private let cumulative: [Double]

  /// - Parameter count: 1 or more.
  init(count: Int, exponent: Double) {
    var sum = 0.0
    let sums = (1...max(1, count)).map { rank in
      sum += pow(Double(rank), -exponent)
      return sum
    }
    cumulative = sums.map { $0 / sum }
  }

  /// Draws a rank.
  func next(using generator: inout SeededRandom) -> Int {
    let unit = generator.nextUnit()
    var low = 0
    var high = cumulative.count - 1
    while low < high {
      let middle = (low + high) / 2
      if cumulative[middle] > unit { high = middle } else { low = middle + 1 }
    }
    return low
  }
}
