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

  private func written(_ outbox: borrowing Outbox, _ part: Outbox.Part? = nil) -> [Written] {
    var found: [Written] = []
    outbox.forEach(part) { record in
      found.append(
        Written(place: "\(record.topic.name) [\(record.partition)]", value: record.value?.string ?? ""))
    }
    return found
  }

  private func fill(_ outbox: inout Outbox, _ random: inout SeededGenerator) -> [Written] {
    var all: [Written] = []
    for number in 0..<Int.random(in: 0...40, using: &random) {
      let topic = OutputTopic.allCases[Int.random(in: 0..<OutputTopic.allCases.count, using: &random)]
      let partition = Int32.random(in: 0..<5, using: &random)
      let value = outbox.store(ByteView(StaticText.values[number % 3]))
      outbox.add(topic, partition: partition, key: nil, value: value, headers: 0..<0)
      all.append(
        Written(place: "\(topic.name) [\(partition)]", value: StaticText.values[number % 3].description))
    }
    return all
  }

  private enum StaticText {
    static let values: [StaticString] = ["one", "two", "three"]
  }

  @Test(
    "the first records are those of every partition of a topic, and the rest stand behind them in their order",
    arguments: 1...50 as ClosedRange<UInt64>)
  func parts(seed: UInt64) {
    var random = SeededGenerator(seed: seed)
    var outbox = Outbox()
    let all = fill(&outbox, &random)
    #expect(written(outbox) == all, "seed \(seed)")
    let first = written(outbox, .first)
    #expect(Set(first.map(\.place)).count == first.count, "seed \(seed)")
    #expect(Set(first.map(\.place)) == Set(all.map(\.place)), "seed \(seed)")
    for place in Set(all.map(\.place)) {
      #expect(
        (first + written(outbox, .rest)).filter { $0.place == place } == all.filter { $0.place == place },
        "seed \(seed)")
    }
  }

  @Test(
    "records whose bytes are kept elsewhere are the same, and an emptied outbox begins anew",
    arguments: 1...50 as ClosedRange<UInt64>)
  func leftBytes(seed: UInt64) {
    var random = SeededGenerator(seed: seed)
    var outbox = Outbox()
    let all = fill(&outbox, &random)
    var kept: [OutputBufferBox] = []
    outbox.leaveBytes { buffer in
      kept.append(OutputBufferBox(buffer))
      return kept[0].buffer.view
    }
    #expect(kept.isEmpty == all.isEmpty, "seed \(seed)")
    #expect(written(outbox) == all, "seed \(seed)")
    outbox.removeAll()
    #expect(outbox.count == 0 && outbox.byteCount == 0)
    let value = outbox.store(ByteView("new"))
    outbox.add(.rejected, partition: 3, key: nil, value: value, headers: 0..<0)
    #expect(written(outbox, .first) == [Written(place: "rejected [3]", value: "new")], "seed \(seed)")
  }

  private final class OutputBufferBox {
    let buffer: OutputBuffer

    init(_ buffer: consuming OutputBuffer) { self.buffer = buffer }
  }
}
