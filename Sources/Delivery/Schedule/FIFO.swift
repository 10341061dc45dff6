/// A queue on an array: elements are appended at the end and taken at the front, both in constant time on average.
struct FIFO<Element>: Sequence {
  private var elements: [Element]
  private var first = 0

  /// A queue of these elements in their order.
  init(_ elements: [Element] = []) { self.elements = elements }

  /// Whether there is no element.
  var isEmpty: Bool { first == elements.count }

  /// Adds an element at the end.
  mutating func append(_ element: Element) { elements.append(element) }

  /// Adds an element at the front: in linear time, for exceptions.
  mutating func prepend(_ element: Element) { elements.insert(element, at: first) }

  /// Takes the element at the front.
  mutating func popFirst() -> Element? {
    guard first < elements.count else { return nil }
    let element = elements[first]
    first += 1
    if first == elements.count {
      elements.removeAll(keepingCapacity: true)
      first = 0
    } else if first > 64 && first * 2 > elements.count {
      elements.removeFirst(first)
      first = 0
    }
    return element
  }

  /// The elements in their order.
  func makeIterator() -> ArraySlice<Element>.Iterator { elements[first...].makeIterator() }
}

extension FIFO: Sendable where Element: Sendable {}
