import Contract

/// The number of a text that a catalog holds: a category, a template, a digest key.
///
/// It is valid with the catalog that it came from, and with no other. Equal texts of one catalog have equal numbers.
public struct TextID: Hashable, Sendable {
  let index: UInt32
}

/// The distinct texts of a catalog in one run of memory that stays in place as long as the table lives.
final class TextTable: Sendable {
  private struct Extent {
    let offset: Int
    let count: Int
  }

  // Written by the initialiser, read by any thread afterwards, and freed by the last owner.
  private nonisolated(unsafe) let bytes: UnsafePointer<UInt8>
  private let extents: [Extent]

  fileprivate init(_ texts: [[UInt8]]) {
    let total = texts.reduce(0) { $0 + $1.count }
    let memory = UnsafeMutablePointer<UInt8>.allocate(capacity: max(1, total))
    var extents: [Extent] = []
    var offset = 0
    for text in texts {
      (memory + offset).initialize(from: text, count: text.count)
      extents.append(Extent(offset: offset, count: text.count))
      offset += text.count
    }
    bytes = UnsafePointer(memory)
    self.extents = extents
  }

  deinit { bytes.deallocate() }

  /// The bytes of a text, valid as long as the table.
  func view(_ id: TextID) -> ByteView {
    let extent = extents[Int(id.index)]
    return ByteView(start: bytes + extent.offset, count: extent.count)
  }
}

/// Gathers the texts of a catalog and numbers them.
struct TextTableBuilder {
  private var texts: [[UInt8]] = []
  private var known: [ExactText: TextID] = [:]

  /// The number of a text, the same for the same bytes.
  mutating func intern(_ text: String) -> TextID {
    let key = ExactText(text)
    if let id = known[key] { return id }
    let id = add(Array(text.utf8))
    known[key] = id
    return id
  }

  /// The number of bytes that are no text, each time another one.
  mutating func add(_ bytes: [UInt8]) -> TextID {
    texts.append(bytes)
    return TextID(index: UInt32(texts.count - 1))
  }

  /// The table of what was gathered.
  func build() -> TextTable { TextTable(texts) }
}
