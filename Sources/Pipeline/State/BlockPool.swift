/// The memory of blocks that are no longer used, for the next ones: windows close about as fast as others open, and none
/// of that asks the allocator for memory.
///
/// Blocks have sizes of four classes to the doubling, as allocators have them, so that nothing is lost by it. What is larger
/// than the largest class goes back at once.
struct BlockPool: ~Copyable {
  private static let smallest = 64
  private static let largest = 32 << 10
  private static let classCount = 37

  #if TIDINGS_ADDRESS
    /// The sanitizer knows only what is freed to the allocator.
    static let keepsFreedByDefault = false
  #else
    static let keepsFreedByDefault = true
  #endif

  private let keepsFreed: Bool

  /// By class: the first free piece of memory, whose first bytes are the address of the next.
  private let first: UnsafeMutablePointer<UnsafeMutableRawPointer?>
  /// Bytes of the free memory.
  private(set) var bytes = 0

  /// - Parameter keepsFreed: whether memory that is given back is kept at all.
  init(keepsFreed: Bool = keepsFreedByDefault) {
    self.keepsFreed = keepsFreed
    first = .allocate(capacity: Self.classCount)
    first.initialize(repeating: nil, count: Self.classCount)
  }

  deinit {
    for index in 0..<Self.classCount {
      while let memory = pop(index) { memory.deallocate() }
    }
    first.deallocate()
  }

  /// Memory for at least so many bytes, and how many it has.
  mutating func take(_ count: Int) -> (memory: UnsafeMutableRawPointer, capacity: Int) {
    guard count <= Self.largest else { return (.allocate(byteCount: count, alignment: 16), count) }
    let (index, capacity) = Self.sizeClass(of: count)
    if let memory = pop(index) {
      bytes -= capacity
      return (memory, capacity)
    }
    return (.allocate(byteCount: capacity, alignment: 16), capacity)
  }

  /// Takes memory back, wherever it was allocated.
  mutating func give(_ memory: UnsafeMutableRawPointer, capacity: Int) {
    guard keepsFreed, capacity >= Self.smallest, capacity <= Self.largest else { return memory.deallocate() }
    let (index, size) = Self.sizeClass(of: capacity)
    // Memory of a size between two classes is none that the next one could count on.
    guard size == capacity else { return memory.deallocate() }
    memory.storeBytes(of: first[index], as: UnsafeMutableRawPointer?.self)
    first[index] = memory
    bytes += capacity
  }

  /// Gives free memory beyond so many bytes back to the allocator.
  mutating func shrink(to limit: Int) {
    var index = Self.classCount - 1
    while bytes > limit, index >= 0 {
      guard let memory = pop(index) else {
        index -= 1
        continue
      }
      bytes -= Self.size(of: index)
      memory.deallocate()
    }
  }

  private func pop(_ index: Int) -> UnsafeMutableRawPointer? {
    guard let memory = first[index] else { return nil }
    first[index] = memory.load(as: UnsafeMutableRawPointer?.self)
    return memory
  }

  /// The smallest class that holds so many bytes, at most those of the largest class.
  private static func sizeClass(of count: Int) -> (index: Int, size: Int) {
    guard count > smallest else { return (0, smallest) }
    // Above a power of two, a quarter of it makes the step.
    let power = Int.bitWidth - 1 - (count - 1).leadingZeroBitCount
    let quarters = ((count - 1) >> (power - 2)) + 1
    return ((power - 6) * 4 + quarters - 4, quarters << (power - 2))
  }

  private static func size(of index: Int) -> Int {
    index == 0 ? smallest : (4 + (index - 1) % 4 + 1) << ((index - 1) / 4 + 4)
  }
}
