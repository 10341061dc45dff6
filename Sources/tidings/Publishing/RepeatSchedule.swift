import Benchmarks

/// Decides which events are published again and when, as a producer that retries after a time-out would do it.
///
/// Each event is repeated with the probability of the fraction, once, after 1 to `maxDistance` further events. The same
/// seed and input give the same order.
struct RepeatSchedule<Element> {
  /// A repeat comes at most so many new events after its first.
  static var maxDistance: Int { 1000 }

  private let fraction: Double
  private var random: SeededRandom
  private var position = 0
  private var waiting: [Int: [Element]] = [:]

  /// - Parameter fraction: the share of events that come again, 0…1.
  init(fraction: Double, seed: UInt64) {
    self.fraction = fraction
    random = SeededRandom(seed: seed)
  }

  /// Takes the next new event, which is to be published first, and returns the repeats that are due after it.
  mutating func admit(_ element: @autoclosure () -> Element) -> [Element] {
    position += 1
    if random.nextUnit() < fraction {
      waiting[position + random.next(upTo: Self.maxDistance), default: []].append(element())
    }
    return waiting.removeValue(forKey: position) ?? []
  }

  /// The repeats that are left behind the last new event, in their order.
  mutating func finish() -> [Element] {
    let rest = waiting.sorted { $0.key < $1.key }.flatMap(\.value)
    waiting = [:]
    return rest
  }
}
