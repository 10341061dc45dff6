import Contract
import Testing

@Suite struct RejectionEncoderTests {
  private static var position: RecordPosition {
    RecordPosition(topic: ByteView("team.events"), partition: 7, offset: 123)
  }

  private func reject(_ fixture: RecordFixture, _ rejection: Rejection) -> RecordFixture {
    var encoder = RejectionEncoder()
    return fixture.withInput {
      RecordFixture(encoder.record(for: $0, rejection: rejection, at: Self.position))
    }
  }

  @Test("a rejected record is kept byte for byte, with headers that say why and whence")
  func whole() {
    var fixture = RecordFixture(
      key: "k", value: [0xFF, 0x00], headers: [("ce_id", "1"), ("ce_id", "2"), ("empty", nil)])
    let rejected = reject(fixture, Rejection(.duplicateAttribute, "\"id\" is given twice."))
    #expect(rejected.key == fixture.key && rejected.value == fixture.value)
    #expect(rejected.headers.prefix(3).map(\.name) == fixture.headers.map(\.name))
    #expect(rejected.headers.prefix(3).map(\.value) == fixture.headers.map(\.value))
    #expect(rejected.header("tidings-reason") == "duplicateAttribute")
    #expect(rejected.header("tidings-detail") == "\"id\" is given twice.")
    #expect(rejected.header("tidings-topic") == "team.events")
    #expect(rejected.header("tidings-partition") == "7")
    #expect(rejected.header("tidings-offset") == "123")
    #expect(rejected.headers.count == 8)
    fixture.value = nil
    fixture.key = nil
    let tombstone = reject(fixture, Rejection(.tombstone, "none"))
    #expect(tombstone.value == nil && tombstone.key == nil)
  }

  @Test(
    "of a record that is too large, the beginning is kept, with size and hash, within the limit of the topic")
  func tooLarge() {
    let value = (0..<2_000_000).map { UInt8(truncatingIfNeeded: $0) }
    let key = String(repeating: "k", count: 100_000)
    var headers: [(String, String?)] = [("ce_id", "1"), ("big", String(repeating: "h", count: 100_000))]
    headers += (0..<100).map { ("h\($0)", "v") }
    let rejected = reject(
      RecordFixture(key: key, value: value, headers: headers), Rejection(.recordTooLarge, "too large"))
    #expect(rejected.value == Array(value.prefix(65_536)))
    #expect(rejected.key?.count == 65_536)
    #expect(rejected.header("ce_id") == "1" && rejected.header("big") == nil)
    #expect(rejected.header("tidings-value-size") == "2000000")
    #expect(rejected.header("tidings-value-xxh3") == value.withUnsafeBytes { Hash128(of: ByteView($0)).hex })
    let size = rejected.withInput { $0.byteCount }
    #expect(size < EventLimits().forwarded.maxRecordBytes)
    #expect(
      rejected.header("tidings-size")
        == "\(2_000_000 + 100_000 + headers.reduce(0) { $0 + $1.0.utf8.count + ($1.1?.utf8.count ?? 0) })")
  }

  @Test("a rejected record with hundreds of headers keeps them all")
  func manyHeaders() {
    let headers: [(String, String?)] = (0..<500).map { ("h\($0)", "v\($0)") }
    let rejected = reject(RecordFixture(value: [], headers: headers), Rejection(.notCloudEvent, "none"))
    #expect(rejected.headers.count == 505)
    #expect(rejected.header("h499") == "v499")
  }
}
