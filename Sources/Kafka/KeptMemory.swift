import Contract

/// Buffers that were written and stay as they are for as long as records refer to them.
///
/// Not thread-safe: it belongs to the owner of a producer.
package struct KeptMemory {
  private final class Piece {
    let buffer: OutputBuffer

    init(_ buffer: consuming OutputBuffer) { self.buffer = buffer }
  }

  private var pieces: [Piece] = []

  package init() {}

  /// Takes a buffer over.
  ///
  /// - Returns: what is written in it; valid until `removeAll`, or the end of this memory.
  package mutating func keep(_ buffer: consuming OutputBuffer) -> ByteView {
    let piece = Piece(buffer)
    pieces.append(piece)
    return piece.buffer.view
  }

  /// The bytes in it.
  package var byteCount: Int { pieces.reduce(0) { $0 + $1.buffer.count } }

  /// Whether a view lies in it.
  package func contains(_ view: ByteView) -> Bool {
    guard let start = view.start else { return true }
    return pieces.contains { piece in
      guard let kept = piece.buffer.view.start else { return false }
      return start >= kept && start + view.count <= kept + piece.buffer.count
    }
  }

  /// Lets all buffers go.
  package mutating func removeAll() { pieces.removeAll(keepingCapacity: true) }
}
