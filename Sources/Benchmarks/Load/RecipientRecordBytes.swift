import Contract

/// Writes the recipients' records, each with an address for mail, one at a time.
struct RecipientRecordBytes: ~Copyable {
  private var bytes = OutputBuffer(capacity: 256)

  /// Calls `body` with the record of a recipient. Its views are valid during the call.
  mutating func with<Result, Failure: Error>(
    number: Int, _ body: (InputRecord) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    bytes.removeAll()
    let name = "recipient-\(number)"
    name.withByteView {
      RecipientKey.append(tenant: ByteView(RecipientKey.defaultTenant), recipient: $0, to: &bytes)
    }
    let key = 0..<bytes.count
    bytes.append("{\"email\":\"")
    bytes.append(text: name)
    bytes.append("@example.org\"}")
    let view = bytes.view
    return try body(
      InputRecord(
        key: view.slice(key), value: view.slice(key.upperBound..<view.count),
        headers: UnsafeBufferPointer(start: nil, count: 0)))
  }
}
