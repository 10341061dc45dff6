import Synchronization

/// The memory of large output buffers, for the next ones: what a commit has written, the next one has room for.
///
/// Without it, every batch of a backlog grows fresh buffers to megabytes and leaves them to the allocator, which means a
/// page fault for every 4 KiB (docs/performance.md). The buffers of all partitions share it, so that it is as large as
/// what is written at one time, however many partitions there are.
enum OutputMemory {
  /// Smaller memory is the allocator's affair.
  static let smallest = 64 << 10
  /// Free bytes that are kept, at most.
  private static let limit = 32 << 20

  private static let pool = Mutex(BlockPool(smallest: smallest, doublings: 6))

  /// Memory for at least so many bytes, and how many it has.
  ///
  /// It is the largest that is free: a buffer that has outgrown small memory goes on growing as a rule, and every step
  /// would copy it.
  static func take(_ count: Int) -> (memory: UnsafeMutablePointer<UInt8>, capacity: Int) {
    guard count >= smallest else { return (.allocate(capacity: count), count) }
    // As a number, since a pointer that comes out of the lock would count as the pool's.
    let (address, capacity) = pool.withLock { pool in
      let (memory, capacity) = pool.takeLargest(count) ?? pool.take(count)
      return (UInt(bitPattern: memory), capacity)
    }
    guard let memory = UnsafeMutablePointer<UInt8>(bitPattern: address) else {
      return (.allocate(capacity: capacity), capacity)
    }
    return (memory, capacity)
  }

  /// Takes memory back.
  static func give(_ memory: UnsafeMutablePointer<UInt8>, capacity: Int) {
    guard capacity >= smallest else { return memory.deallocate() }
    let address = UInt(bitPattern: memory)
    pool.withLock { pool in
      guard let memory = UnsafeMutableRawPointer(bitPattern: address) else { return }
      pool.give(memory, capacity: capacity)
      pool.shrink(to: limit)
    }
  }
}
