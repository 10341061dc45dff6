import Foundation

/// A read-only view of bytes that somebody else owns: a field of a Kafka record, a slice of a decoded event.
///
/// A view neither copies nor retains. It is valid as long as its owner says (a consumed record: until the next
/// poll; a decoded event: until the next decode), and it must not be kept beyond that. Two views are equal when
/// their bytes are.
public struct ByteView: Equatable {
  /// The first byte; nil only in an empty view.
  public let start: UnsafePointer<UInt8>?
  /// The number of bytes.
  public let count: Int

  /// The empty view.
  public static var empty: ByteView { ByteView(start: nil, count: 0) }

  /// A view of `count` bytes from `start`.
  @inlinable
  public init(start: UnsafePointer<UInt8>?, count: Int) {
    self.start = start
    self.count = start == nil ? 0 : count
  }

  /// A view of a buffer.
  @inlinable
  public init(_ buffer: UnsafeRawBufferPointer) {
    self.init(start: buffer.baseAddress?.assumingMemoryBound(to: UInt8.self), count: buffer.count)
  }

  /// Whether there is no byte.
  @inlinable
  public var isEmpty: Bool { count == 0 }

  /// The bytes as a buffer pointer, with the validity of the view.
  @inlinable
  public var buffer: UnsafeBufferPointer<UInt8> { UnsafeBufferPointer(start: start, count: count) }

  /// The byte at `index`, which must be within the view (checked in debug builds, as by the buffer).
  @inlinable
  public subscript(index: Int) -> UInt8 { buffer[index] }

  /// The part of the view within `bounds`, which is clamped to the view.
  @inlinable @inline(__always)
  public func slice(_ bounds: Range<Int>) -> ByteView {
    let lower = max(bounds.lowerBound, 0)
    let upper = min(bounds.upperBound, count)
    guard let start, lower < upper else { return .empty }
    return ByteView(start: start + lower, count: upper - lower)
  }

  /// The bytes as text; what is not UTF-8 is repaired with U+FFFD.
  public var string: String { String(decoding: buffer, as: UTF8.self) }

  /// Whether the bytes are those of an ASCII literal.
  @inlinable
  public func equals(_ literal: StaticString) -> Bool {
    guard count == literal.utf8CodeUnitCount else { return false }
    guard let start, count > 0 else { return true }
    return memoryEquals(start, literal.utf8Start, count)
  }

  /// Whether the bytes are the same.
  @inlinable
  public static func == (left: ByteView, right: ByteView) -> Bool {
    guard left.count == right.count else { return false }
    guard let first = left.start, let second = right.start, left.count > 0 else { return true }
    return first == second || memoryEquals(first, second, left.count)
  }

  /// Whether the left bytes come before the right ones in lexicographic order.
  public static func < (left: ByteView, right: ByteView) -> Bool {
    let common = min(left.count, right.count)
    guard let first = left.start, let second = right.start, common > 0 else {
      return left.count < right.count
    }
    let order = memcmp(first, second, common)
    return order == 0 ? left.count < right.count : order < 0
  }
}

extension String {
  /// Calls `body` with the UTF-8 bytes of the text; the view is valid only during the call.
  ///
  /// - Throws: what `body` throws.
  public func withByteView<Value, Failure>(_ body: (ByteView) throws(Failure) -> Value) throws(Failure)
    -> Value
  {
    var copy = self
    let result: Result<Value, Failure> = copy.withUTF8 { buffer in
      do throws(Failure) {
        return .success(try body(ByteView(UnsafeRawBufferPointer(buffer))))
      } catch {
        return .failure(error)
      }
    }
    return try result.get()
  }
}

@usableFromInline @inline(__always)
func memoryEquals(_ left: UnsafePointer<UInt8>, _ right: UnsafePointer<UInt8>, _ count: Int) -> Bool {
  memcmp(left, right, count) == 0
}
