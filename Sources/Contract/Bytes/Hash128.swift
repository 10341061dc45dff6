import CXXHash

/// A 128-bit XXH3 hash (libxxhash), the identity of things by content: notifications, windows, recipients.
///
/// XXH3 is stable from libxxhash 0.8.0 on, so that hashes may be kept in topics and files.
public struct Hash128: Hashable, Comparable, Sendable {
  /// The upper 64 bits: tables take their shard and slot from here.
  public var high: UInt64
  /// The lower 64 bits.
  public var low: UInt64

  /// A hash with known halves.
  @inlinable
  public init(high: UInt64, low: UInt64) {
    self.high = high
    self.low = low
  }

  /// The hash of the bytes of a view.
  @inlinable
  public init(of bytes: ByteView) {
    let hash = XXH3_128bits(bytes.start, bytes.count)
    self.init(high: hash.high64, low: hash.low64)
  }

  /// Orders by the upper half, then the lower one.
  @inlinable
  public static func < (left: Hash128, right: Hash128) -> Bool {
    left.high == right.high ? left.low < right.low : left.high < right.high
  }

  /// 32 lower-case hexadecimal digits.
  public var hex: String {
    let digits = Array("0123456789abcdef".utf8)
    return String(unsafeUninitializedCapacity: 32) { buffer in
      for index in 0..<32 {
        let half = index < 16 ? high : low
        buffer[index] = digits[Int(truncatingIfNeeded: half >> UInt64((15 - index % 16) * 4)) & 15]
      }
      return 32
    }
  }
}
