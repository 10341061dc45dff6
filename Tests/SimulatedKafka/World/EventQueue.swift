/// What is to happen, in the order of its instants, and within an instant in the order of its scheduling: a binary
/// heap of numbers, with the actions beside it, so that a world of hundreds of thousands of events stays quick.
struct EventQueue {
  private struct Entry {
    var time: Int64
    var number: UInt64
    var slot: Int

    func isBefore(_ other: Entry) -> Bool {
      time == other.time ? number < other.number : time < other.time
    }
  }

  private var heap: [Entry] = []
  private var actions: [(() -> Void)?] = []
  private var freeSlots: [Int] = []
  private var nextNumber: UInt64 = 0

  /// When the next event is due; nil when there is none.
  var nextTime: Int64? { heap.first?.time }

  mutating func add(at time: Int64, _ action: @escaping () -> Void) {
    let slot: Int
    if let free = freeSlots.popLast() {
      slot = free
      actions[slot] = action
    } else {
      slot = actions.count
      actions.append(action)
    }
    let entry = Entry(time: time, number: nextNumber, slot: slot)
    nextNumber += 1
    heap.append(entry)
    heap.withUnsafeMutableBufferPointer { heap in
      var child = heap.count - 1
      while child > 0 {
        let parent = (child - 1) / 2
        guard entry.isBefore(heap[parent]) else { break }
        heap[child] = heap[parent]
        child = parent
      }
      heap[child] = entry
    }
  }

  /// Takes the next event out; there has to be one.
  mutating func removeFirst() -> (time: Int64, action: () -> Void) {
    let first = heap[0]
    let last = heap.removeLast()
    if !heap.isEmpty {
      heap.withUnsafeMutableBufferPointer { heap in
        var parent = 0
        while true {
          var child = 2 * parent + 1
          guard child < heap.count else { break }
          if child + 1 < heap.count, heap[child + 1].isBefore(heap[child]) { child += 1 }
          guard heap[child].isBefore(last) else { break }
          heap[parent] = heap[child]
          parent = child
        }
        heap[parent] = last
      }
    }
    let action = actions[first.slot] ?? {}
    actions[first.slot] = nil
    freeSlots.append(first.slot)
    return (first.time, action)
  }
}
