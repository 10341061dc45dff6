import Kafka
import Testing

@testable import Delivery

@Suite("one partition while it is assigned")
struct SinkAssignmentTests {
  private func assignment(read offsets: [Int64], end: Int64?, isAtEnd: Bool = false) -> SinkAssignment {
    var assignment = SinkAssignment(
      source: DeliverySource(partition: 0, generation: 1), topic: "t", committed: nil)
    for offset in offsets {
      _ = assignment.tracker.receive(offset, timestampMilliseconds: offset * 1000)
      assignment.lastTimestampMilliseconds = offset * 1000
    }
    assignment.endOffset = end
    assignment.isAtEnd = isAtEnd
    return assignment
  }

  @Test("a record that is tried again holds the lag, and nothing is untried")
  func retried() {
    let assignment = assignment(read: [1, 2, 3], end: 4, isAtEnd: true)
    #expect(assignment.lag(nowMilliseconds: 61_000).age == .seconds(60))
    #expect(assignment.untriedAge(oldest: nil, nowMilliseconds: 61_000) == .zero)
    #expect(assignment.untriedAge(oldest: 3_000, nowMilliseconds: 61_000) == .seconds(58))
  }

  @Test("what is not read because too much is tried again is untried, and came after what was read")
  func unread() {
    let assignment = assignment(read: [1, 2, 3], end: 900)
    #expect(assignment.untriedAge(oldest: nil, nowMilliseconds: 63_000) == .seconds(60))
    #expect(assignment.untriedAge(oldest: 2_000, nowMilliseconds: 63_000) == .seconds(61))
    #expect(self.assignment(read: [], end: 900).untriedAge(oldest: nil, nowMilliseconds: 63_000) == .zero)
  }
}
