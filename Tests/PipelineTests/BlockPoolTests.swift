import Contract
import SeededTesting
import Testing

@testable import Pipeline

@Suite struct BlockPoolTests {
  @Test("memory has at least the bytes that were asked for, at most a quarter more, and nothing else has it")
  func sizes() {
    var pool = BlockPool(keepsFreed: true)
    var taken: [(start: UInt, memory: UnsafeMutableRawPointer, capacity: Int)] = []
    for count in 1...3_000 {
      let (memory, capacity) = pool.take(count)
      #expect(capacity >= count && capacity <= max(64, count + count / 4 + 1), "\(count) bytes")
      memory.initializeMemory(as: UInt8.self, repeating: UInt8(truncatingIfNeeded: count), count: capacity)
      taken.append((UInt(bitPattern: memory), memory, capacity))
    }
    taken.sort { $0.start < $1.start }
    for (one, next) in zip(taken, taken.dropFirst()) { #expect(one.start + UInt(one.capacity) <= next.start) }
    for piece in taken { pool.give(piece.memory, capacity: piece.capacity) }
    let free = pool.bytes
    #expect(free == taken.reduce(0) { $0 + $1.capacity })
    pool.shrink(to: free / 2)
    let kept = pool.bytes
    #expect(kept <= free / 2)
    pool.shrink(to: 0)
    let left = pool.bytes
    #expect(left == 0)
  }

  @Test("what is given back is what is taken next; what is too large is not kept")
  func reuse() {
    var pool = BlockPool(keepsFreed: true)
    let (memory, capacity) = pool.take(500)
    pool.give(memory, capacity: capacity)
    let (again, size) = pool.take(capacity)
    #expect(again == memory && size == capacity)
    pool.give(again, capacity: size)
    let (large, largeCapacity) = pool.take(1 << 20)
    pool.give(large, capacity: largeCapacity)
    let free = pool.bytes
    #expect(free == capacity)
  }

  @Test("blocks that grow, shrink and are freed hold what an array holds", arguments: 0..<3 as Range<UInt64>)
  func blocks(seed: UInt64) {
    var random = SeededGenerator(seed: seed)
    var pool = BlockPool()
    var blocks = [Block](repeating: Block(), count: 50)
    var model = [[UInt8]](repeating: [], count: 50)
    for _ in 0..<5_000 {
      let index = Int.random(in: 0..<50, using: &random)
      let bytes = (0..<Int.random(in: 0...400, using: &random)).map { UInt8(truncatingIfNeeded: $0 &* index) }
      switch Int.random(in: 0..<8, using: &random) {
      case 0:
        blocks[index].free(to: &pool)
        model[index] = []
      case 1:
        let position = Int.random(in: 0...model[index].count, using: &random)
        bytes.withUnsafeBytes { blocks[index].insert(ByteView($0), at: position, &pool) }
        model[index].insert(contentsOf: bytes, at: position)
      case 2:
        let length = Int.random(in: 0...model[index].count, using: &random)
        blocks[index].truncate(to: length)
        model[index].removeLast(model[index].count - length)
      default:
        bytes.withUnsafeBytes { blocks[index].append(ByteView($0), &pool) }
        model[index] += bytes
      }
      #expect(Array(blocks[index].view.buffer) == model[index], "seed \(seed)")
    }
    for index in blocks.indices { blocks[index].free() }
  }
}
