import Contract
import SeededTesting
import Testing

@testable import Pipeline

@Suite struct WindowStoreTests {
  private static func open(_ number: Int, due: Int64, in store: inout WindowStore) -> UInt32 {
    let name = "recipient \(number)"
    return name.withByteView { recipient in
      let head = WindowHead(
        tenant: ByteView("default"), recipient: recipient, channel: .email, group: ByteView("news"),
        category: ByteView("news"), type: ByteView("news"), title: .empty, link: .empty, digestTitle: .empty,
        priority: .normal, itemLimit: 10, catalogVersion: 1)
      var bytes = OutputBuffer()
      head.append(to: &bytes)
      let key = Hash128(of: recipient)
      return store.open(
        key: key, id: key, opened: 0, due: due, head: bytes.view, WindowOutline(head, recipient: key))
    }
  }

  @Test(
    "a crowd of windows leaves nothing behind, and what is stale is not taken for a window in its place",
    arguments: 0..<4 as Range<UInt64>)
  func crowds(seed: UInt64) throws {
    var random = SeededGenerator(seed: seed)
    var store = WindowStore()
    var due: [UInt32: Int64] = [:]
    var number = 0
    func instant() -> Int64 { Int64.random(in: 1...1_000_000, using: &random) }
    for _ in 0..<5 {
      for _ in 0..<Int.random(in: 2_000...5_000, using: &random) {
        let instant = instant()
        due[Self.open(number, due: instant, in: &store)] = instant
        number += 1
      }
      let slotCount = store.slotCount
      #expect(slotCount >= due.count)
      for slot in due.keys.sorted() {
        switch Int.random(in: 0..<4, using: &random) {
        case 0:
          due[slot] = instant()
          store.setDue(due[slot] ?? 0, of: slot)
        case 1:
          due[slot] = nil
          store.close(slot)
          store.release(slot)
        default: break
        }
      }
      // All but some are due; what was due and closed early stays behind in the queue.
      let now = Int64.random(in: 900_000...1_000_000, using: &random)
      var last: Int64 = 0
      while let slot = store.popDue(at: now) {
        let expected = due.removeValue(forKey: slot)
        let instant = try #require(expected, "seed \(seed): a window that is not open")
        #expect(instant >= last && instant <= now, "seed \(seed)")
        last = instant
        store.close(slot)
        store.release(slot)
        if Int.random(in: 0..<100, using: &random) == 0 { store.shrink() }
      }
      #expect(due.values.allSatisfy { $0 > now }, "seed \(seed)")
      let count = store.count
      #expect(count == due.count)
    }
    while let slot = store.popDue(at: .max) {
      let expected = due.removeValue(forKey: slot)
      #expect(expected != nil, "seed \(seed)")
      store.close(slot)
      store.release(slot)
      store.shrink()
    }
    #expect(due.isEmpty)
    let slotCount = store.slotCount
    let next = store.nextDue()
    #expect(slotCount <= 1024, "seed \(seed)")
    #expect(next == nil)
  }
}
