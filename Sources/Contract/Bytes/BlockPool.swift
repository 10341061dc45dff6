/// The memory of blocks that are no longer used, for the next ones: what comes about as fast as other goes asks the
/// allocator for nothing.
///
/// Blocks have sizes of four classes to the doubling, as allocators have them, so that nothing is lost by it. What is larger
/// than the largest class goes back at once.
package struct BlockPool: ~Copyable {
  /// The sizes of the smallest and the largest class, in bytes.
  private let sizes: ClosedRange<Int>
  /// The smallest size is two to the power of this.
  private let shift: Int

  #if TIDINGS_ADDRESS
    /// The sanitizer knows only what is freed to the allocator.
    package static let keepsFreedByDefault = false
  #else
    package static let keepsFreedByDefault = true
  #endif

  private let keepsFreed: Bool

  /// By class: the first free piece of memory, whose first bytes are the address of the next.
  private let first: UnsafeMutablePointer<UnsafeMutableRawPointer?>
  /// Bytes of the free memory.
  package private(set) var bytes = 0

  /// An empty pool.
  ///
  /// - Parameters:
  ///   - smallest: the bytes of the smallest block; a power of two, at least 64.
  ///   - doublings: how often the size of the largest block has doubled since.
  ///   - keepsFreed: whether memory that is given back is kept at all.
  package init(smallest: Int, doublings: Int, keepsFreed: Bool = keepsFreedByDefault) {
    sizes = smallest...smallest << doublings
    shift = smallest.trailingZeroBitCount
    self.keepsFreed = keepsFreed
    let classCount = 1 + 4 * doublings
    first = .allocate(capacity: classCount)
    first.initialize(repeating: nil, count: classCount)
  }

  deinit {
    for index in 0..<classCount {
      while let memory = pop(index) { memory.deallocate() }
    }
    first.deallocate()
  }

  private var classCount: Int { 1 + 4 * (sizes.upperBound.trailingZeroBitCount - shift) }

  /// Memory for at least so many bytes, and how many it has.
  package mutating func take(_ count: Int) -> (memory: UnsafeMutableRawPointer, capacity: Int) {
    guard count <= sizes.upperBound else { return (.allocate(byteCount: count, alignment: 16), count) }
    let (index, capacity) = sizeClass(of: count)
    if let memory = pop(index) {
      bytes -= capacity
      return (memory, capacity)
    }
    return (.allocate(byteCount: capacity, alignment: 16), capacity)
  }

  /// The largest free memory, where it has at least so many bytes.
  package mutating func takeLargest(_ count: Int) -> (memory: UnsafeMutableRawPointer, capacity: Int)? {
    guard bytes >= count else { return nil }
    for index in stride(from: classCount - 1, through: 0, by: -1) {
      let capacity = size(of: index)
      guard capacity >= count else { return nil }
      guard let memory = pop(index) else { continue }
      bytes -= capacity
      return (memory, capacity)
    }
    return nil
  }

  /// Takes memory back, wherever it was allocated.
  package mutating func give(_ memory: UnsafeMutableRawPointer, capacity: Int) {
    guard keepsFreed, sizes.contains(capacity) else { return memory.deallocate() }
    let (index, size) = sizeClass(of: capacity)
    // Memory of a size between two classes is none that the next one could count on.
    guard size == capacity else { return memory.deallocate() }
    memory.storeBytes(of: first[index], as: UnsafeMutableRawPointer?.self)
    first[index] = memory
    bytes += capacity
  }

  /// Gives free memory beyond so many bytes back to the allocator.
  ///
  /// - Parameter smallestFirst: which go first: where few large blocks matter more than many small ones, the small ones.
  package mutating func shrink(to limit: Int, smallestFirst: Bool = false) {
    guard bytes > limit else { return }
    for step in 0..<classCount {
      let index = smallestFirst ? step : classCount - 1 - step
      while bytes > limit, let memory = pop(index) {
        bytes -= size(of: index)
        memory.deallocate()
      }
    }
  }

  private func pop(_ index: Int) -> UnsafeMutableRawPointer? {
    guard let memory = first[index] else { return nil }
    first[index] = memory.load(as: UnsafeMutableRawPointer?.self)
    return memory
  }

  /// The smallest class that holds so many bytes, at most those of the largest class.
  private func sizeClass(of count: Int) -> (index: Int, size: Int) {
    guard count > sizes.lowerBound else { return (0, sizes.lowerBound) }
    // Above a power of two, a quarter of it makes the step.
    let power = Int.bitWidth - 1 - (count - 1).leadingZeroBitCount
    let quarters = ((count - 1) >> (power - 2)) + 1
    return ((power - shift) * 4 + quarters - 4, quarters << (power - 2))
  }

  private func size(of index: Int) -> Int {
    index == 0 ? sizes.lowerBound : (4 + (index - 1) % 4 + 1) << ((index - 1) / 4 + shift - 2)
  }
}
