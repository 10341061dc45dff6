import CoreMetrics
import Synchronization

/// The value of one counter with one set of labels. Increments are one atomic addition.
final class CounterSeries: CounterHandler, FloatingPointCounterHandler {
  private let whole = Atomic<Int64>(0)
  private let fraction = AtomicDouble()

  /// The value; never less than at an earlier read, unless the counter was reset.
  var value: Double { Double(whole.load(ordering: .relaxed)) + fraction.value }

  func increment(by amount: Int64) {
    guard amount > 0 else { return }
    whole.wrappingAdd(amount, ordering: .relaxed)
  }

  func increment(by amount: Double) {
    guard amount > 0, amount.isFinite else { return }
    fraction.add(amount)
  }

  func reset() {
    whole.store(0, ordering: .relaxed)
    fraction.set(0)
  }
}

/// The value of one gauge with one set of labels.
final class GaugeSeries: RecorderHandler, MeterHandler {
  private let current = AtomicDouble()

  var value: Double { current.value }

  func record(_ value: Int64) { current.set(Double(value)) }
  func record(_ value: Double) { current.set(value) }
  func set(_ value: Int64) { current.set(Double(value)) }
  func set(_ value: Double) { current.set(value) }
  func increment(by amount: Double) { current.add(amount) }
  func decrement(by amount: Double) { current.add(-amount) }
}

/// The buckets of one histogram with one set of labels. An observation is two atomic additions.
final class HistogramSeries: RecorderHandler, TimerHandler, @unchecked Sendable {
  // Unchecked because of the pointer: it is written once, here, and its elements are atomic.
  let bounds: [Double]
  private let counts: UnsafeMutablePointer<Atomic<UInt64>>
  private let total = AtomicDouble()

  init(bounds: [Double]) {
    self.bounds = bounds
    counts = .allocate(capacity: bounds.count + 1)
    for index in 0...bounds.count { (counts + index).initialize(to: Atomic(0)) }
  }

  deinit {
    counts.deinitialize(count: bounds.count + 1)
    counts.deallocate()
  }

  func record(_ value: Int64) { observe(Double(value)) }
  func record(_ value: Double) { observe(value) }
  func recordNanoseconds(_ duration: Int64) { observe(Double(duration) / 1_000_000_000) }

  private func observe(_ value: Double) {
    guard !value.isNaN else { return }
    var low = 0
    var high = bounds.count
    while low < high {
      let middle = (low + high) / 2
      if bounds[middle] < value { low = middle + 1 } else { high = middle }
    }
    counts[low].wrappingAdd(1, ordering: .relaxed)
    total.add(value)
  }

  /// The observations per bucket (not cumulative; the last one has no upper bound) and the sum of all.
  var snapshot: (counts: [UInt64], sum: Double) {
    ((0...bounds.count).map { counts[$0].load(ordering: .relaxed) }, total.value)
  }
}

/// A floating point number that threads change without a lock.
struct AtomicDouble: ~Copyable, Sendable {
  private let bits = Atomic<UInt64>(0)

  var value: Double { Double(bitPattern: bits.load(ordering: .relaxed)) }

  func set(_ value: Double) { bits.store(value.bitPattern, ordering: .relaxed) }

  func add(_ amount: Double) {
    var seen = bits.load(ordering: .relaxed)
    while true {
      let sum = (Double(bitPattern: seen) + amount).bitPattern
      let result = bits.compareExchange(expected: seen, desired: sum, ordering: .relaxed)
      if result.exchanged { return }
      seen = result.original
    }
  }
}
