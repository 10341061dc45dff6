import Contract
import Testing

@Suite struct EventLineReaderTests {
  private static let start = #"{"specversion":"1.0","id":"1","source":"s","type":"t","#

  @Test("a line becomes a record in structured mode, keyed by its recipient")
  func single() throws {
    var reader = try EventLineReader()
    let json = Self.start + #""tenant":"acme","recipient":"u1"}"#
    let record = try json.withByteView { view throws(Rejection) in
      let line = try reader.read(view)
      return RecordFixture(line.record)
    }
    #expect(record.key == Array("acme/u1".utf8))
    #expect(record.value == Array(json.utf8))
    var decoder = try EventDecoder()
    let event = try decoder.snapshot(record)
    #expect(event.recipients == ["u1"])
  }

  @Test("a line with several recipients has no key, and one named twice counts as one")
  func several() throws {
    var reader = try EventLineReader()
    for (recipients, key) in [("a,b", nil), ("a,a", "a")] as [(String, String?)] {
      let json = Self.start + "\"recipients\":\"\(recipients)\"}"
      let found = try json.withByteView { view throws(Rejection) in try reader.read(view).record.key?.string }
      #expect(found == key)
    }
  }

  @Test("a line is as large as its record: key and headers count")
  func recordLimit() throws {
    let json = Self.start + #""tenant":"acme","recipient":"u1"}"#
    var reader = try EventLineReader()
    let size = try json.withByteView { view throws(Rejection) in
      let record = try reader.read(view).record
      return InputRecord(key: record.key, value: record.value, headers: record.headers).byteCount
    }
    #expect(size > json.utf8.count + "acme/u1".utf8.count)
    var exact = try EventLineReader(limits: EventLimits(maxRecordBytes: size))
    let key = try json.withByteView { view throws(Rejection) in try exact.read(view).record.key?.string }
    #expect(key == "acme/u1")
    var narrow = try EventLineReader(limits: EventLimits(maxRecordBytes: size - 1))
    let rejection = #expect(throws: Rejection.self) {
      try json.withByteView { view throws(Rejection) in _ = try narrow.read(view) }
    }
    #expect(rejection?.reason == .recordTooLarge && rejection?.detail.contains("\(size) bytes") == true)
  }

  @Test("a line that breaks the contract is refused before it is published")
  func refused() throws {
    var reader = try EventLineReader()
    for line in ["", "x", "{}", Self.start + "\"recipient\":\"\"}"] {
      #expect(throws: Rejection.self) {
        try line.withByteView { view throws(Rejection) in _ = try reader.read(view) }
      }
    }
  }
}
