/// The windows by due time: a binary heap whose entries may be stale and are then skipped.
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

  private var heap: [Entry] = []

  /// The number of entries, stale ones included.
  var count: Int { heap.count }

  /// The entry that is due first.
  var first: Entry? { heap.first }

  mutating func reserve(_ count: Int) { heap.reserveCapacity(count) }

  mutating func push(_ entry: Entry) {
    heap.append(entry)
    var child = heap.count - 1
    while child > 0 {
      let parent = (child - 1) / 2
      guard heap[child].due < heap[parent].due else { break }
      heap.swapAt(child, parent)
      child = parent
    }
  }

  mutating func popFirst() -> Entry? {
    guard let first = heap.first, let last = heap.popLast() else { return nil }
    guard !heap.isEmpty else { return first }
    heap[0] = last
    var parent = 0
    while true {
      var smallest = parent
      for child in [2 * parent + 1, 2 * parent + 2] where child < heap.count {
        if heap[child].due < heap[smallest].due { smallest = child }
      }
      guard smallest != parent else { return first }
      heap.swapAt(parent, smallest)
      parent = smallest
    }
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
