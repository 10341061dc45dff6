import Synchronization

/// The memory of large output buffers, for the next ones: what a commit has written, a later one has room for.
///
/// Without it, every batch of a backlog grows fresh buffers to megabytes and leaves them to the allocator, which means a
/// page fault for every 4 KiB (docs/performance-experiments.md). The buffers of all partitions share it: a batch comes from few of
/// them, each time from others.
final class OutputMemory: Sendable {
  /// Memory of one owner at a time.
  // Unchecked: a pointer may not leave the lock by itself. Whoever has taken this one is its only owner until it is given
  // back, and it cannot be copied.
  struct Piece: ~Copyable, @unchecked Sendable {
    let start: UnsafeMutablePointer<UInt8>
    let capacity: Int
  }

  /// Smaller memory is the allocator's affair.
  static let smallest = 4 << 10
  /// That of the process. What two workers write at a time; where there are more, the allocator has the rest.
  static let shared = OutputMemory(limit: 32 << 20)

  private struct Free: ~Copyable {
    var pool: BlockPool
    /// The fewest bytes that were in it since some were last released.
    var leastBytes = 0
  }

  private let limit: Int
  private let free: Mutex<Free>

  /// - Parameters:
  ///   - limit: the bytes that are kept free, at most.
  ///   - keepsFreed: whether memory that is given back is kept at all.
  init(limit: Int, keepsFreed: Bool = BlockPool.keepsFreedByDefault) {
    self.limit = limit
    free = Mutex(Free(pool: BlockPool(smallest: Self.smallest, doublings: 10, keepsFreed: keepsFreed)))
  }

  /// Free bytes.
  var freeBytes: Int { free.withLock { $0.pool.bytes } }

  /// Memory for at least so many bytes.
  ///
  /// It is the largest that is free, except for the smallest: a buffer that has outgrown that goes on growing as a rule,
  /// and every step would copy it.
  func take(_ count: Int) -> Piece {
    guard count >= Self.smallest else { return Piece(start: .allocate(capacity: count), capacity: count) }
    return free.withLock { free in
      let largest = count == Self.smallest ? nil : free.pool.takeLargest(count)
      let (memory, capacity) = largest ?? free.pool.take(count)
      free.leastBytes = min(free.leastBytes, free.pool.bytes)
      return Piece(start: memory.assumingMemoryBound(to: UInt8.self), capacity: capacity)
    }
  }

  /// Takes memory back. Beyond the limit, small memory goes before large.
  func give(_ piece: consuming Piece) {
    guard piece.capacity >= Self.smallest else { return piece.start.deallocate() }
    let given = piece
    free.withLock { free in
      free.pool.give(given.start, capacity: given.capacity)
      free.pool.shrink(to: limit, smallestFirst: true)
    }
  }

  /// Gives back to the allocator what nobody has needed since the last call.
  func releaseUnused() {
    free.withLock { free in
      free.pool.shrink(to: free.pool.bytes - free.leastBytes, smallestFirst: true)
      free.leastBytes = free.pool.bytes
    }
  }
}
