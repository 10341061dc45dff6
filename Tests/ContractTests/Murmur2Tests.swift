import Contract
import SeededTesting
import Testing

@Suite struct Murmur2Tests {
  @Test(
    "hashes equal the vectors of Kafka's own test (UtilsTest.testMurmur2)",
    arguments: [
      ("21", -973_932_308), ("foobar", -790_332_482), ("a-little-bit-long-string", -985_981_536),
      ("a-little-bit-longer-string", -1_486_304_829),
      ("lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58_897_971), ("abc", 479_470_107),
    ] as [(String, Int32)])
  func vectors(key: String, hash: Int32) {
    #expect(key.withByteView { Murmur2.hash($0) } == hash)
    let partition = key.withByteView { Murmur2.partition(ofKey: $0, count: 16) }
    #expect(partition == (hash & Int32.max) % 16)
  }

  @Test("the empty key has a hash and a partition too")
  func empty() {
    #expect(Murmur2.hash(.empty) == 275_646_681)
    #expect(Murmur2.partition(ofKey: .empty, count: 64) == 275_646_681 % 64)
  }

  @Test("bytes above 127 count as unsigned, as in Kafka's client")
  func highBytes() {
    #expect("ü€😀x".withByteView { Murmur2.hash($0) } == 1_398_703_459)
  }

  /// Murmur2 once more, written byte by byte after the Java source, as something to compare with.
  private static func reference(_ data: [UInt8]) -> Int32 {
    let multiplier: Int32 = 0x5BD1_E995
    var hash: Int32 = Int32(bitPattern: 0x9747_B28C) ^ Int32(data.count)
    func shift(_ value: Int32, _ bits: Int32) -> Int32 {
      Int32(bitPattern: UInt32(bitPattern: value) >> UInt32(bits))
    }
    for index in 0..<(data.count / 4) {
      var word: Int32 = 0
      for byte in 0..<4 { word &+= Int32(data[index * 4 + byte]) << Int32(byte * 8) }
      word = word &* multiplier
      word ^= shift(word, 24)
      word = word &* multiplier
      hash = hash &* multiplier
      hash ^= word
    }
    let tail = data.count & ~3
    switch data.count % 4 {
    case 3:
      hash ^= Int32(data[tail + 2]) << 16
      fallthrough
    case 2:
      hash ^= Int32(data[tail + 1]) << 8
      fallthrough
    case 1:
      hash ^= Int32(data[tail])
      hash = hash &* multiplier
    default: break
    }
    hash ^= shift(hash, 13)
    hash = hash &* multiplier
    hash ^= shift(hash, 15)
    return hash
  }

  @Test("random keys of every length hash as a second implementation says")
  func random() {
    var random = SeededGenerator(seed: 0x6D75_726D)
    for _ in 0..<2_000 {
      let bytes = (0..<Int.random(in: 0...40, using: &random)).map { _ in
        UInt8.random(in: 0...255, using: &random)
      }
      let hash = bytes.withUnsafeBytes { Murmur2.hash(ByteView($0)) }
      #expect(hash == Murmur2Tests.reference(bytes), "\(bytes) with \(random)")
    }
  }
}
