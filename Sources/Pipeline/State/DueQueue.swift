/// The windows by due time: a heap, four children to a parent, whose entries may be stale and are then skipped.
///
/// An entry is never removed from the middle. When a window closes early or an abort takes it back, its entry stays
/// and no longer agrees with the slot's generation.
struct DueQueue {
  /// A slot that is due at an instant, if the slot is still of that generation.
  struct Entry {
    var due: Int64
    var slot: UInt32
    var generation: UInt32
  }

  private static let children = 4
  private var heap: [Entry] = []

  /// The number of entries, stale ones included.
  var count: Int { heap.count }

  /// The entry that is due first.
  var first: Entry? { heap.first }

  mutating func reserve(_ count: Int) { heap.reserveCapacity(count) }

  mutating func push(_ entry: Entry) {
    var child = heap.count
    heap.append(entry)
    while child > 0 {
      let parent = (child - 1) / Self.children
      guard entry.due < heap[parent].due else { break }
      heap[child] = heap[parent]
      child = parent
    }
    heap[child] = entry
  }

  mutating func popFirst() -> Entry? {
    guard let first = heap.first, let last = heap.popLast() else { return nil }
    guard !heap.isEmpty else { return first }
    let count = heap.count
    var parent = 0
    while true {
      let eldest = parent * Self.children + 1
      guard eldest < count else { break }
      var smallest = eldest
      var child = eldest + 1
      while child < min(eldest + Self.children, count) {
        if heap[child].due < heap[smallest].due { smallest = child }
        child += 1
      }
      guard heap[smallest].due < last.due else { break }
      heap[parent] = heap[smallest]
      parent = smallest
    }
    heap[parent] = last
    return first
  }

  /// Rebuilds the heap from the entries that still agree.
  mutating func compact(_ isCurrent: (Entry) -> Bool) {
    let kept = heap.filter(isCurrent)
    heap.removeAll()
    heap.reserveCapacity(kept.count)
    for entry in kept { push(entry) }
  }

  mutating func removeAll() { heap.removeAll() }
}
