import Benchmarks
import Testing

@testable import tidings

@Suite("The schedule of repeats")
struct RepeatScheduleTests {
  /// The order in which the numbers 0..<count are published.
  private func order(count: Int, fraction: Double, seed: UInt64) -> [Int] {
    var schedule = RepeatSchedule<Int>(fraction: fraction, seed: seed)
    var order: [Int] = []
    for number in 0..<count {
      order.append(number)
      order += schedule.admit(number)
    }
    return order + schedule.finish()
  }

  @Test("the same seed repeats the same events at the same places, another seed others")
  func determinism() {
    let first = order(count: 5000, fraction: 0.1, seed: 7)
    #expect(first == order(count: 5000, fraction: 0.1, seed: 7))
    #expect(first != order(count: 5000, fraction: 0.1, seed: 8))
  }

  @Test("the order of a seed stays the same in every version of the program")
  func knownOrder() {
    var random = SeededRandom(seed: 0)
    // The reference values of SplitMix64 for the seed 0.
    #expect(random.next() == 0xE220_A839_7B1D_CDAF)
    #expect(random.next() == 0x6E78_9E6A_A1B9_65F4)
  }

  @Test("every repeat comes after its first, at most 1,000 new events later, and once")
  func placement() {
    for _ in 0..<200 {
      let seed = UInt64.random(in: .min ... .max)
      var random = SeededRandom(seed: seed)
      let count = random.next(upTo: 3000)
      let fraction = random.nextUnit()
      let published = order(count: count, fraction: fraction, seed: seed)
      var seen: [Int: Int] = [:]
      var newest = -1
      for number in published {
        newest = max(newest, number)
        seen[number, default: 0] += 1
        #expect(number <= newest, "seed \(seed)")
        #expect(newest - number <= RepeatSchedule<Int>.maxDistance, "seed \(seed)")
      }
      #expect(seen.count == count, "seed \(seed)")
      #expect(seen.values.allSatisfy { $0 <= 2 }, "seed \(seed)")
      // The first of each is published in the order of the input.
      var firsts: [Int] = []
      var known: Set<Int> = []
      for number in published where known.insert(number).inserted { firsts.append(number) }
      #expect(firsts == Array(0..<count), "seed \(seed)")
    }
  }

  @Test("about the asked share is repeated, nothing at 0, everything at 1")
  func share() {
    let repeats = order(count: 20_000, fraction: 0.1, seed: 7).count - 20_000
    #expect((1800...2200).contains(repeats))
    #expect(order(count: 1000, fraction: 0, seed: 7).count == 1000)
    #expect(order(count: 1000, fraction: 1, seed: 7).count == 2000)
  }
}
