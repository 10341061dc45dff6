/// The hash by which Kafka's Java client, and librdkafka with `partitioner=murmur2_random`, place a keyed record.
public enum Murmur2 {
  /// The 32-bit MurmurHash2 with Kafka's seed, as `org.apache.kafka.common.utils.Utils.murmur2`.
  public static func hash(_ bytes: ByteView) -> Int32 {
    let multiplier: UInt32 = 0x5BD1_E995
    let count = bytes.count
    var hash: UInt32 = 0x9747_B28C ^ UInt32(truncatingIfNeeded: count)
    guard let start = bytes.start else { return finish(hash, multiplier) }
    let raw = UnsafeRawPointer(start)
    var index = 0
    let tailStart = count & ~3
    while index < tailStart {
      var word = UInt32(littleEndian: raw.loadUnaligned(fromByteOffset: index, as: UInt32.self))
      word &*= multiplier
      word ^= word >> 24
      word &*= multiplier
      hash = hash &* multiplier ^ word
      index &+= 4
    }
    if index < count {
      var tail: UInt32 = 0
      var last = count
      while last > index {
        last &-= 1
        tail = tail &<< 8 | UInt32(start[last])
      }
      hash = (hash ^ tail) &* multiplier
    }
    return finish(hash, multiplier)
  }

  /// The partition of a record with that key among `count` partitions: `toPositive(hash) mod count`.
  ///
  /// - Parameter count: at least 1; less counts as 1.
  public static func partition(ofKey key: ByteView, count: Int32) -> Int32 {
    (hash(key) & Int32.max) % max(1, count)
  }

  private static func finish(_ hash: UInt32, _ multiplier: UInt32) -> Int32 {
    var hash = hash
    hash ^= hash >> 13
    hash &*= multiplier
    hash ^= hash >> 15
    return Int32(bitPattern: hash)
  }
}
