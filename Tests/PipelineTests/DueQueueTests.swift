import Testing

@testable import Pipeline

@Suite struct DueQueueTests {
  @Test("what is due first comes first, whatever the order it was pushed in")
  func order() {
    var queue = DueQueue()
    var dues: [Int64] = []
    for number in 0..<500 { dues.append(Int64((number * 7919) % 997)) }
    for (slot, due) in dues.enumerated() {
      queue.push(DueQueue.Entry(due: due, slot: UInt32(slot), generation: 0))
    }
    var popped: [Int64] = []
    while let entry = queue.popFirst() { popped.append(entry.due) }
    #expect(popped == dues.sorted())
  }

  @Test("compaction keeps exactly what is current")
  func compaction() {
    var queue = DueQueue()
    for slot in 0..<100 {
      queue.push(DueQueue.Entry(due: Int64(100 - slot), slot: UInt32(slot), generation: 0))
    }
    queue.compact { $0.slot % 3 == 0 }
    var slots: [UInt32] = []
    while let entry = queue.popFirst() { slots.append(entry.slot) }
    let expected = stride(from: UInt32(99), through: 0, by: -3).map { $0 }
    #expect(slots == expected)
  }
}
