/// The headers of a record that is being made or read, in memory that is used again for the next record.
///
/// It keeps nothing alive that a header refers to.
public struct HeaderList: ~Copyable {
  private var memory: UnsafeMutablePointer<HeaderView>
  private var capacity: Int
  private var count = 0

  /// An empty list with room for so many, at least one; it grows where there are more.
  public init(capacity: Int = 16) {
    self.capacity = max(1, capacity)
    memory = .allocate(capacity: self.capacity)
  }

  deinit { memory.deallocate() }

  /// The headers in their order; valid until the next change, and as long as the list lives.
  public var view: UnsafeBufferPointer<HeaderView> { UnsafeBufferPointer(start: memory, count: count) }

  /// Puts a header behind all others.
  public mutating func append(_ header: HeaderView) {
    if count == capacity { grow() }
    (memory + count).initialize(to: header)
    count += 1
  }

  /// Puts a header behind all others.
  public mutating func append(_ name: StaticString, _ value: ByteView) {
    append(HeaderView(name: ByteView(name), value: value))
  }

  /// Gives the header at a place, counted from 0, another value. There has to be one.
  mutating func set(value: ByteView, at place: Int) {
    precondition(place >= 0 && place < count, "a header that is changed is there")
    memory[place].value = value
  }

  /// Begins anew, with the room that there is.
  public mutating func removeAll() { count = 0 }

  private mutating func grow() {
    let larger = UnsafeMutablePointer<HeaderView>.allocate(capacity: capacity * 2)
    larger.moveInitialize(from: memory, count: count)
    memory.deallocate()
    memory = larger
    capacity *= 2
  }
}
