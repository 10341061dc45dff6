import Synchronization

/// All series of one metric, bounded in number.
///
/// A label that follows input without end (a recipient's id by mistake) must not fill the memory: behind the
/// bound, every further set of labels counts in one series whose labels all read `overflow`.
final class MetricFamily: Sendable {
  let declaration: MetricDeclaration
  private let seriesLimit: Int
  private let state = Mutex(State())

  private struct State {
    var series: [[String]: any Sendable & AnyObject] = [:]
    var hasOverflowed = false
  }

  init(_ declaration: MetricDeclaration, seriesLimit: Int) {
    self.declaration = declaration
    self.seriesLimit = seriesLimit
  }

  /// The series with these labels, made where it is the first time.
  ///
  /// - Parameter onOverflow: called the first time that the bound is met.
  func series(
    _ dimensions: [(String, String)], onOverflow: () -> Void
  ) -> any Sendable & AnyObject {
    let values = labelValues(dimensions)
    let (series, overflowed) = state.withLock { state in
      if let known = state.series[values] { return (known, false) }
      if state.series.count < seriesLimit {
        let made = makeSeries()
        state.series[values] = made
        return (made, false)
      }
      let overflow = declaration.labels.map { _ in "overflow" }
      let shared = state.series[overflow] ?? makeSeries()
      state.series[overflow] = shared
      let isFirst = !state.hasOverflowed
      state.hasOverflowed = true
      return (shared, isFirst)
    }
    if overflowed { onOverflow() }
    return series
  }

  /// Takes a series out of the exposition, as when its partition went to another member of the group.
  func remove(_ series: AnyObject) {
    state.withLock { state in
      guard let key = state.series.first(where: { $0.value === series })?.key else { return }
      state.series[key] = nil
    }
  }

  /// The series in the order of their labels.
  func sorted() -> [(values: [String], series: any Sendable & AnyObject)] {
    let all = state.withLock { state in state.series.map { (values: $0.key, series: $0.value) } }
    return all.sorted { left, right in
      for (first, second) in zip(left.values, right.values) where first != second {
        // Partitions are numbers: 2 comes before 10.
        if let low = Int(first), let high = Int(second) { return low < high }
        return first < second
      }
      return false
    }
  }

  private func labelValues(_ dimensions: [(String, String)]) -> [String] {
    declaration.labels.map { label in
      dimensions.first { MetricDeclaration.labelName($0.0) == label }?.1 ?? ""
    }
  }

  private func makeSeries() -> any Sendable & AnyObject {
    switch declaration.kind {
    case .counter: CounterSeries()
    case .gauge: GaugeSeries()
    case .histogram(let buckets): HistogramSeries(bounds: buckets)
    }
  }
}
