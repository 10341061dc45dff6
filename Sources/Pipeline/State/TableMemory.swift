import CJemalloc

/// The memory of large tables: what one no longer uses goes back to the system at once.
///
/// A table that grows leaves memory of a size behind that it is not going to ask for again. As a rule the allocator keeps
/// freed pages for some seconds, which for a table that grows fast are a third of its memory; here it keeps none. A table
/// grows seldom enough for that to cost nothing (docs/performance.md).
enum TableMemory {
  /// What says to the allocator where the memory is to come from; the common memory, where it makes no other.
  private static let flags: Int32 = {
    var arena: UInt32 = 0
    var size = MemoryLayout<UInt32>.size
    guard mallctl("arenas.create", &arena, &size, nil, 0) == 0 else { return tidings_uncached_flags() }
    var decay = 0
    for kind in ["dirty", "muzzy"] {
      _ = mallctl("arena.\(arena).\(kind)_decay_ms", nil, nil, &decay, MemoryLayout<Int>.size)
    }
    return tidings_arena_flags(arena)
  }()

  /// Memory for `capacity` values, at least one, that are not initialised.
  static func allocate<Value: BitwiseCopyable>(capacity: Int) -> UnsafeMutablePointer<Value> {
    let bytes = max(1, capacity) * MemoryLayout<Value>.stride
    guard let memory = mallocx(bytes, flags) else {
      preconditionFailure("no memory for \(bytes) bytes of a table")
    }
    return memory.bindMemory(to: Value.self, capacity: capacity)
  }

  /// Gives memory of `allocate` back.
  static func deallocate<Value: BitwiseCopyable>(_ memory: UnsafeMutablePointer<Value>?) {
    if let memory { dallocx(memory, tidings_uncached_flags()) }
  }
}
