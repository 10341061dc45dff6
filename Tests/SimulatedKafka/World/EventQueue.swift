/// What is to happen, in the order of its instants, and within an instant in the order of its scheduling: a binary
/// heap, so that a world of hundreds of thousands of events stays quick.
struct EventQueue {
  struct Event {
    var time: Int64
    var number: UInt64
    var action: () -> Void
  }

  private var heap: [Event] = []
  private var nextNumber: UInt64 = 0

  /// When the next event is due; nil when there is none.
  var nextTime: Int64? { heap.first?.time }

  mutating func add(at time: Int64, _ action: @escaping () -> Void) {
    heap.append(Event(time: time, number: nextNumber, action: action))
    nextNumber += 1
    var child = heap.count - 1
    while child > 0 {
      let parent = (child - 1) / 2
      guard isBefore(child, parent) else { return }
      heap.swapAt(child, parent)
      child = parent
    }
  }

  mutating func removeFirst() -> Event {
    let last = heap.count - 1
    heap.swapAt(0, last)
    let first = heap.removeLast()
    var parent = 0
    while true {
      var least = parent
      let left = 2 * parent + 1
      if left < last, isBefore(left, least) { least = left }
      if left + 1 < last, isBefore(left + 1, least) { least = left + 1 }
      guard least != parent else { return first }
      heap.swapAt(parent, least)
      parent = least
    }
  }

  private func isBefore(_ left: Int, _ right: Int) -> Bool {
    heap[left].time == heap[right].time
      ? heap[left].number < heap[right].number : heap[left].time < heap[right].time
  }
}
