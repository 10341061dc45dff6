import Dispatch
import Synchronization
import Testing

@testable import Contract

@Suite struct OutputMemoryTests {
  /// Writes so many integers, one after the other.
  private func fill(_ buffer: inout OutputBuffer, _ count: Int, from first: Int = 0) {
    for number in 0..<count { buffer.append(littleEndian: UInt32(truncatingIfNeeded: first + number)) }
  }

  private func isFilled(_ buffer: borrowing OutputBuffer, _ count: Int, from first: Int = 0) -> Bool {
    let view = buffer.view
    return view.count == count * 4
      && (0..<count).allSatisfy { number in
        let value = (0..<4).reduce(0) { $0 | UInt32(view[number * 4 + $1]) << UInt32(8 * $1) }
        return value == UInt32(truncatingIfNeeded: first + number)
      }
  }

  @Test("what a buffer leaves, the next one has, all of it at once")
  func reuse() {
    let memory = OutputMemory(limit: 8 << 20, keepsFreed: true)
    var one = OutputBuffer(capacity: 0, memory: memory)
    fill(&one, 400_000)
    let isWhole = isFilled(one, 400_000)
    #expect(isWhole)
    let start = one.view.start
    one.removeAll()
    one.shrink()
    #expect(one.capacity == OutputMemory.smallest)
    let free = memory.freeBytes
    #expect(free >= 1_600_000)
    var other = OutputBuffer(capacity: 0, memory: memory)
    fill(&other, 20_000)
    #expect(other.view.start == start && other.capacity >= 1_600_000)
    let isOtherWhole = isFilled(other, 20_000)
    #expect(isOtherWhole)
    // Besides, it left the small memory that it outgrew.
    #expect(memory.freeBytes == free + OutputMemory.smallest - other.capacity)
  }

  @Test("what nobody needed between two releases goes back, what was in use stays")
  func release() {
    let memory = OutputMemory(limit: 32 << 20, keepsFreed: true)
    func use(_ count: Int) {
      let piece = memory.take(count)
      memory.give(piece)
    }
    let (small, large) = (memory.take(1 << 20).start, memory.take(2 << 20).start)
    memory.give(OutputMemory.Piece(start: small, capacity: 1 << 20))
    memory.give(OutputMemory.Piece(start: large, capacity: 2 << 20))
    memory.releaseUnused()
    #expect(memory.freeBytes == 3 << 20)
    use(1 << 20)
    memory.releaseUnused()
    #expect(memory.freeBytes == 2 << 20)
    use(1 << 20)
    memory.releaseUnused()
    #expect(memory.freeBytes == 2 << 20)
    memory.releaseUnused()
    #expect(memory.freeBytes == 0)
  }

  @Test("beyond the limit small memory goes, and large stays")
  func limit() {
    let memory = OutputMemory(limit: 3 << 20, keepsFreed: true)
    let small = (0..<32).map { _ in memory.take(64 << 10).start }
    let large = memory.take(2 << 20).start
    for start in small { memory.give(OutputMemory.Piece(start: start, capacity: 64 << 10)) }
    #expect(memory.freeBytes == 2 << 20)
    memory.give(OutputMemory.Piece(start: large, capacity: 2 << 20))
    #expect(memory.freeBytes == 3 << 20)
    let again = memory.take(1 << 20)
    let (start, capacity) = (again.start, again.capacity)
    #expect(start == large && capacity == 2 << 20)
    memory.give(again)
    memory.give(memory.take(5 << 20))
    #expect(memory.freeBytes == 3 << 20)
  }

  @Test("small memory is none of it, nor what is larger than the largest class")
  func bounds() {
    let memory = OutputMemory(limit: 32 << 20, keepsFreed: true)
    for count in [1, 64, OutputMemory.smallest - 1, (4 << 20) + 1] {
      let piece = memory.take(count)
      let capacity = piece.capacity
      #expect(capacity == count)
      memory.give(piece)
      #expect(memory.freeBytes == 0)
    }
  }

  @Test("buffers that grow at the same time on several threads have memory of their own")
  func threads() {
    let memory = OutputMemory(limit: 1 << 20)
    let wrong = Mutex(0)
    DispatchQueue.concurrentPerform(iterations: 8) { thread in
      for round in 0..<20 {
        var one = OutputBuffer(capacity: 0, memory: memory)
        var other = OutputBuffer(capacity: OutputMemory.smallest, memory: memory)
        for number in 0..<40 {
          fill(&one, 1_000, from: number * 1_000 + thread)
          fill(&other, 1_000, from: number * 1_000 + round)
        }
        let isRight = isFilled(one, 40_000, from: thread) && isFilled(other, 40_000, from: round)
        if !isRight { wrong.withLock { $0 += 1 } }
      }
    }
    #expect(wrong.withLock { $0 } == 0)
  }

  #if TIDINGS_ADDRESS
    @Test("the sanitizer sees what is freed")
    func freedMemory() { #expect(!BlockPool.keepsFreedByDefault) }
  #endif
}
