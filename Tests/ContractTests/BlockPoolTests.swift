import Testing

@testable import Contract

@Suite struct BlockPoolTests {
  @Test("memory has at least the bytes that were asked for, at most a quarter more, and nothing else has it")
  func sizes() {
    var pool = BlockPool(smallest: 64, doublings: 9, keepsFreed: true)
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
    var pool = BlockPool(smallest: 64, doublings: 9, keepsFreed: true)
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

  @Test("the classes of larger blocks are as those of smaller ones", arguments: [64, 4096, 65_536])
  func classes(smallest: Int) {
    var pool = BlockPool(smallest: smallest, doublings: 3, keepsFreed: true)
    var capacities: Set<Int> = []
    for count in stride(from: 1, through: smallest * 8, by: smallest / 64) {
      let (memory, capacity) = pool.take(count)
      capacities.insert(capacity)
      pool.give(memory, capacity: capacity)
    }
    #expect(
      capacities.sorted().map { $0 * 4 / smallest } == [4, 5, 6, 7, 8, 10, 12, 14, 16, 20, 24, 28, 32])
    let free = pool.bytes
    #expect(free == capacities.reduce(0, +))
    let (memory, capacity) = pool.take(smallest * 8 + 1)
    #expect(capacity == smallest * 8 + 1)
    pool.give(memory, capacity: capacity)
    let kept = pool.bytes
    #expect(kept == free)
  }

  @Test("the largest free block is taken where it is large enough")
  func largest() {
    var pool = BlockPool(smallest: 64, doublings: 9, keepsFreed: true)
    let blocks = [100, 3_000, 500].map { pool.take($0) }
    for block in blocks { pool.give(block.memory, capacity: block.capacity) }
    let free = pool.bytes
    #expect(free == 3_072 + 512 + 112)
    let missing = pool.takeLargest(5_000)
    #expect(missing?.capacity == nil)
    for expected in [3_072, 512, 112] {
      let largest = pool.takeLargest(65)
      #expect(largest?.capacity == expected)
      largest?.memory.deallocate()
    }
    let left = pool.bytes
    #expect(left == 0)
    let none = pool.takeLargest(1)
    #expect(none?.capacity == nil)
  }
}
