import Synchronization

#if !TIDINGS_ADDRESS
  import CJemalloc
#endif

/// The memory of large tables: what one no longer uses goes back to the system at once.
///
/// A table that grows leaves memory of a size behind that it is not going to ask for again. As a rule the allocator keeps
/// freed pages for some seconds, which for a table that grows fast are a third of its memory; here it keeps none. A table
/// grows seldom enough for that to cost nothing (docs/performance-experiments.md). A restore is the exception: what it frees is
/// what it asks for next, so that pages are kept while there is a `Reuse`.
enum TableMemory {
  #if TIDINGS_ADDRESS
    /// The sanitizer watches the heap of the C library alone.
    static func allocate<Value: BitwiseCopyable>(capacity: Int) -> UnsafeMutablePointer<Value> {
      .allocate(capacity: max(1, capacity))
    }

    static func deallocate<Value: BitwiseCopyable>(_ memory: UnsafeMutablePointer<Value>?) {
      memory?.deallocate()
    }

    static func wholeCapacity<Value: BitwiseCopyable>(_ capacity: Int, of _: Value.Type) -> Int { capacity }

    struct Reuse: ~Copyable {
      deinit {}
    }
  #else
    /// The part of the allocator that only tables have; nil where it makes none.
    private static let arena: UInt32? = {
      var arena: UInt32 = 0
      var size = MemoryLayout<UInt32>.size
      guard mallctl("arenas.create", &arena, &size, nil, 0) == 0 else { return nil }
      keepFreedPages(of: arena, false)
      return arena
    }()

    /// What says to the allocator where the memory is to come from; the common memory, where it makes no other.
    private static let flags = arena.map { tidings_arena_flags($0) } ?? tidings_uncached_flags()

    /// How many there are of `Reuse`.
    private static let reuses = Mutex(0)

    /// While there is one, freed pages are kept for what is allocated next. With the end of the last one, those that nothing
    /// uses go back to the system.
    struct Reuse: ~Copyable {
      init() {
        reuses.withLock {
          if $0 == 0, let arena { keepFreedPages(of: arena, true) }
          $0 += 1
        }
      }

      deinit {
        reuses.withLock {
          $0 -= 1
          if $0 == 0, let arena { keepFreedPages(of: arena, false) }
        }
      }
    }

    private static func keepFreedPages(of arena: UInt32, _ keep: Bool) {
      var decay = keep ? -1 : 0
      // In this order, pages that go back at once do not stop at the second kind on their way.
      for kind in ["muzzy", "dirty"] {
        _ = mallctl("arena.\(arena).\(kind)_decay_ms", nil, nil, &decay, MemoryLayout<Int>.size)
      }
    }

    /// Memory for `capacity` values, at least one, that are not initialised.
    static func allocate<Value: BitwiseCopyable>(capacity: Int) -> UnsafeMutablePointer<Value> {
      let bytes = max(1, capacity) * MemoryLayout<Value>.stride
      guard let memory = mallocx(bytes, flags(for: bytes)) else {
        preconditionFailure("no memory for \(bytes) bytes of a table")
      }
      return memory.bindMemory(to: Value.self, capacity: capacity)
    }

    /// As many values as the allocator has room for where it is asked for room for `capacity`: it has memory of certain sizes
    /// alone, four between a power of two and the next.
    static func wholeCapacity<Value: BitwiseCopyable>(_ capacity: Int, of _: Value.Type) -> Int {
      let bytes = max(1, capacity) * MemoryLayout<Value>.stride
      return max(capacity, nallocx(bytes, flags(for: bytes)) / MemoryLayout<Value>.stride)
    }

    /// Memory of several pages begins with one. As a rule the allocator has it begin anywhere in its first page, so that the
    /// beginnings of many do not meet in a processor's cache, and that takes a page more.
    private static func flags(for bytes: Int) -> Int32 {
      bytes < pagedBytes ? flags : flags | tidings_page_alignment_flag()
    }

    /// The smallest memory that is not a part of a common run of pages, in bytes.
    private static let pagedBytes = 16_384

    /// Gives memory of `allocate` back.
    static func deallocate<Value: BitwiseCopyable>(_ memory: UnsafeMutablePointer<Value>?) {
      if let memory { dallocx(memory, tidings_uncached_flags()) }
    }
  #endif
}
