import Foundation
import Testing

/// `calloc` of this process (Sources/CZeroedMemory).
@Suite(.serialized) struct ZeroedMemoryTests {
  private typealias Calloc = @convention(c) (Int, Int) -> UnsafeMutableRawPointer?

  private typealias Free = @convention(c) (UnsafeMutableRawPointer?) -> Void

  // Those that libraries find. Compilers know what a call by name does, and leave it out, and what is written to a block that
  // nobody reads.
  private let zeroed: Calloc
  private let release: Free

  init() throws {
    let process = try #require(dlopen(nil, RTLD_NOW))
    zeroed = unsafeBitCast(try #require(dlsym(process, "calloc")), to: Calloc.self)
    release = unsafeBitCast(try #require(dlsym(process, "free")), to: Free.self)
  }

  /// Both sides of the size from which on the allocator has blocks zeroed by the system, and of the one up to which ours are
  /// written.
  @Test(
    "a block is all zeroes, whatever was there before",
    arguments: [1, 8, 1_000, 16_384, 65_536, 1 << 20, (1 << 20) + 1, 5_000_000])
  func zeroes(size: Int) throws {
    for count in [1, 3] {
      // What is asked for next is, most likely, the block that was just freed.
      let dirty = try #require(malloc(count * size))
      memset(dirty, 0xA5, count * size)
      release(dirty)
      let block = try #require(zeroed(count, size))
      defer { release(block) }
      let bytes = UnsafeRawBufferPointer(start: block, count: count * size)
      #expect(bytes.allSatisfy { $0 == 0 })
      #expect(UInt(bitPattern: block) % UInt(min(16, size)) == 0)
    }
  }

  @Test("what there is no room for is refused, and a product that overflows is not taken for a small one")
  func refusals() {
    for (count, size) in [(Int.max, 4), (Int.max / 2 + 1, 2), (1, Int.max), (1 << 32, 1 << 32)] {
      errno = 0
      #expect(zeroed(count, size) == nil)
      #expect(errno == ENOMEM)
    }
    for (count, size) in [(0, 8), (8, 0)] {
      let block = zeroed(count, size)
      // Not null, as of every block of the allocator: who takes null for a failure is not misled.
      #expect(block != nil)
      release(block)
    }
  }

  @Test("what is asked for, used and freed time and again has its pages already")
  func pagesStay() throws {
    func use() throws {
      let block = try #require(zeroed(1, 65_536))
      memset(block, 1, 65_536)
      release(block)
    }
    func faults() throws -> Int {
      var usage = rusage()
      // RUSAGE_THREAD, which Swift does not import: other tests' threads have faults of their own.
      try #require(getrusage(1, &usage) == 0)
      return usage.ru_minflt
    }
    for _ in 0..<100 { try use() }
    let before = try faults()
    for _ in 0..<1_000 { try use() }
    // The system's zeroes would be 16 pages each time.
    #expect(try faults() - before < 1_000)
  }
}
