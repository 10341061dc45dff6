import Contract
import SeededTesting
import Testing

@testable import Pipeline

/// What a commit takes from a partition.
@Suite struct OutboxTests {
  private struct Written: Equatable {
    var place: String
    var value: String
  }

  /// Memory that the bytes of an outbox are left to.
  private final class Keeper {
    let buffer: OutputBuffer

    init(_ buffer: consuming OutputBuffer) { self.buffer = buffer }
  }

  private func written(_ outbox: borrowing Outbox, _ part: Outbox.Part? = nil) -> [Written] {
    var found: [Written] = []
    outbox.forEach(part) { record in
      found.append(
        Written(place: "\(record.topic.name) [\(record.partition)]", value: record.value?.string ?? ""))
    }
    return found
  }

  private func add(_ text: String, to topic: OutputTopic, _ partition: Int32, of outbox: inout Outbox)
    -> Written
  {
    let value = text.withByteView { outbox.store($0) }
    outbox.add(topic, partition: partition, key: nil, value: value, headers: 0..<0)
    return Written(place: "\(topic.name) [\(partition)]", value: text)
  }

  @Test(
    "the first records are those of every partition of a topic, and the rest stand behind them in their order, also where their bytes are kept elsewhere",
    arguments: 1...50 as ClosedRange<UInt64>)
  func parts(seed: UInt64) throws {
    var random = SeededGenerator(seed: seed)
    var outbox = Outbox()
    var keeper: Keeper?
    for _ in 0..<2 {
      let all = try (0..<Int.random(in: 0...40, using: &random)).map { number in
        let topic = try #require(OutputTopic.allCases.randomElement(using: &random))
        return add("\(number)", to: topic, Int32.random(in: 0..<5, using: &random), of: &outbox)
      }
      let places = Set(all.map(\.place))
      for isKept in [false, true] {
        if isKept {
          outbox.leaveBytes { buffer in
            let taken = Keeper(buffer)
            keeper = taken
            return taken.buffer.view
          }
        }
        #expect(written(outbox) == all, "seed \(seed)")
        let first = written(outbox, .first)
        #expect(first.count == places.count && Set(first.map(\.place)) == places, "seed \(seed)")
        let parts = first + written(outbox, .rest)
        for place in places {
          #expect(parts.filter { $0.place == place } == all.filter { $0.place == place }, "seed \(seed)")
        }
      }
      #expect((keeper == nil) == all.isEmpty, "seed \(seed)")
      outbox.removeAll()
      keeper = nil
      #expect(outbox.count == 0 && outbox.byteCount == 0, "seed \(seed)")
    }
  }
}
