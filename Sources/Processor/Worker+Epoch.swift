import Contract
import Pipeline

extension Worker {
  /// The identity of a history that begins now: of this worker's random number, the partition and the instant, so
  /// that no other beginning has the same, be it of the same partition in the same process.
  func makeEpoch(of partition: Int32) -> UInt64 {
    var bytes = OutputBuffer(capacity: 64)
    bytes.append(littleEndian: random)
    bytes.append(littleEndian: partition)
    bytes.append(littleEndian: instants.wallMilliseconds)
    bytes.append(littleEndian: monotonic)
    // 0 stands for histories that began without an epoch.
    return max(1, Hash128(of: bytes.view).high)
  }
}
