import CXXHash
import Contract
import Pipeline
import Testing

/// A state that a version wrote which read fewer topics.
struct UpgradeTests {
  @Test(
    "a topic of which the state knows no position is read from its beginning, and from then on remembered")
  func furtherTopic() throws {
    let deployment = try Deployment()
    try deployment.publish(try earlierState(), to: "state")
    for number in 0..<3 { try publish("\(number)", to: deployment) }
    // What retention took before anybody could read it is no lost input.
    deployment.world.broker.retain(deployment.partition("engagement"), from: 1)
    let first = try deployment.start("a")
    try deployment.wait(for: "what was there") { first.status.counters.decided == 2 }
    try deployment.publish(event: "1", for: "ann")
    try deployment.wait(for: "an event") { first.status.counters.decided == 3 }
    #expect(first.failure == nil)
    first.process.crash()
    let second = try deployment.start("b")
    try publish("3", to: deployment)
    try deployment.wait(for: "the next one") { second.status.counters.decided == 4 }
    #expect(second.status.counters.consumed == 4 && second.failure == nil)
  }

  private func publish(_ id: String, to deployment: Deployment) throws {
    try deployment.publish(
      """
      {"specversion":"1.0","id":"\(id)","source":"/app","type":"tidings.engagement.seen","recipient":"ann",
       "channel":"inapp","data":{"events":[{"source":"/test","id":"\(id)"}]}}
      """, key: "ann", to: "engagement")
  }

  /// The first record of a state as a version wrote it that read three topics.
  private func earlierState() throws -> [UInt8] {
    var pipeline = Pipeline(
      configuration: Pipeline.Configuration(partition: 0, partitionCount: 1), catalog: .default)
    var positions = InputPositions()
    for topic in [InputTopic.events, .routed, .recipients] { positions[topic] = 0 }
    pipeline.start(at: positions, epoch: 7)
    var buffer = OutputBuffer()
    _ = pipeline.seal(into: &buffer)
    var bytes = Array(buffer.view.buffer)
    // Magic, version, flags, partitions, epoch, number and decisions, then the positions with their number.
    let count = 4 + 8 + 3 * 8
    #expect(Int(bytes[count]) == InputTopic.allCases.count)
    bytes.removeSubrange(count + 1 + 3 * 8..<count + 1 + InputTopic.allCases.count * 8)
    bytes[count] = 3
    bytes.removeLast(8)
    let checksum = bytes.withUnsafeBytes { XXH3_64bits($0.baseAddress, $0.count) }
    return bytes + withUnsafeBytes(of: checksum.littleEndian) { Array($0) }
  }
}
