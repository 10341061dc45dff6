// The sanitizer's heap has no part for tables. Whether memory is resident is asked as Linux answers it.
#if !TIDINGS_ADDRESS && canImport(Glibc)
  import Glibc
  import Testing

  @testable import Pipeline

  /// Whether the process still has pages of memory that tables gave back. All tables of a process share what is tested
  /// here: no other test may restore meanwhile (`make test` runs one after another).
  struct TableMemoryTests {
    private static let pageBytes = 4_096
    private static let pages = (4 << 20) / pageBytes

    /// Memory of a table of which every page was used.
    private static func makeUsed(megabytes: Int) -> UnsafeMutablePointer<UInt64> {
      let count = megabytes << 17
      let memory: UnsafeMutablePointer<UInt64> = TableMemory.allocate(capacity: count)
      memory.initialize(repeating: 1, count: count)
      return memory
    }

    /// How many pages of freed memory the process still has.
    private static func residentPages(at address: UInt, megabytes: Int) -> Int {
      let bytes = megabytes << 20
      var pages = [UInt8](repeating: 0, count: bytes / pageBytes)
      guard mincore(UnsafeMutableRawPointer(bitPattern: address), bytes, &pages) == 0 else {
        // Not even the addresses are the process's any more.
        #expect(errno == ENOMEM)
        return 0
      }
      return pages.count { $0 & 1 != 0 }
    }

    @Test("what a table gives back goes to the system at once")
    func atOnce() {
      let memory = Self.makeUsed(megabytes: 4)
      let address = UInt(bitPattern: memory)
      #expect(Self.residentPages(at: address, megabytes: 4) == Self.pages)
      TableMemory.deallocate(memory)
      #expect(Self.residentPages(at: address, megabytes: 4) == 0)
    }

    @Test("what a restore gives back stays until the last one that is under way ends")
    func behindRestores() {
      let memory = Self.makeUsed(megabytes: 4)
      let address = UInt(bitPattern: memory)
      func restore(_ other: () -> Void) {
        let reuse = TableMemory.Reuse()
        other()
        withExtendedLifetime(reuse) {}
      }
      restore {
        restore { TableMemory.deallocate(memory) }
        #expect(Self.residentPages(at: address, megabytes: 4) == Self.pages)
      }
      #expect(Self.residentPages(at: address, megabytes: 4) == 0)
    }
  }
#endif
