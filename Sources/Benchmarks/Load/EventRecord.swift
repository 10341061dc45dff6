import Contract

/// Writes CloudEvents in binary mode with about 300 bytes of JSON, one at a time, without allocating.
struct EventRecord: ~Copyable {
  private var bytes = OutputBuffer(capacity: 4096)
  private var headers = HeaderList()

  /// Calls `body` with an event. Its views are valid during the call.
  ///
  /// - Parameters:
  ///   - number: makes the id: two events of one prefix and number are the same one.
  ///   - recipient: the number of the recipient.
  mutating func with<Result, Failure: Error>(
    idPrefix: StaticString, number: Int, type: String, recipient: Int,
    _ body: (InputRecord) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    bytes.removeAll()
    bytes.append(idPrefix)
    bytes.append(decimal: Int64(number))
    let id = 0..<bytes.count
    let recipientRange = appendRecipient(recipient)
    bytes.append(text: type)
    let typeRange = recipientRange.upperBound..<bytes.count
    bytes.append("u")
    bytes.append(decimal: Int64(number % 5_000))
    let actor = typeRange.upperBound..<bytes.count
    appendData(number)
    let data = actor.upperBound..<bytes.count
    // Views only now: the buffer may have moved while it grew.
    let all = bytes.view
    headers.removeAll()
    headers.append("content-type", ByteView("application/json"))
    headers.append("ce_specversion", ByteView("1.0"))
    headers.append("ce_source", ByteView("/bench"))
    headers.append("ce_id", all.slice(id))
    headers.append("ce_type", all.slice(typeRange))
    headers.append("ce_recipient", all.slice(recipientRange))
    headers.append("ce_actor", all.slice(actor))
    return try body(
      InputRecord(key: all.slice(recipientRange), value: all.slice(data), headers: headers.view))
  }

  /// The home partition of a recipient.
  static func home(ofRecipient number: Int, partitionCount: Int32, scratch: inout OutputBuffer) -> Int32 {
    let text = "recipient-\(number)"
    return text.withByteView { recipient in
      RecipientKey.home(
        tenant: ByteView(RecipientKey.defaultTenant), recipient: recipient, count: partitionCount,
        scratch: &scratch)
    }
  }

  private mutating func appendRecipient(_ number: Int) -> Range<Int> {
    let start = bytes.count
    bytes.append("recipient-")
    bytes.append(decimal: Int64(number))
    return start..<bytes.count
  }

  private mutating func appendData(_ number: Int) {
    bytes.append("{\"what\":\"something of note\",\"number\":")
    bytes.append(decimal: Int64(number))
    bytes.append(",\"url\":\"https://example.org/board/")
    bytes.append(hex: UInt64(truncatingIfNeeded: number) &* 0x9E37_79B9_7F4A_7C15)
    bytes.append("/cards/")
    bytes.append(decimal: Int64(number / 7))
    bytes.append("\",\"text\":\"")
    // Digits that compress about as well as prose does.
    var mixed = UInt64(truncatingIfNeeded: number) &* 0xBF58_476D_1CE4_E5B9
    for _ in 0..<3 {
      bytes.append(" the card moved on to ")
      bytes.append(hex: mixed)
      bytes.append(" and the list ")
      mixed = mixed &* 0x94D0_49BB_1331_11EB &+ 1
    }
    bytes.append("\"}")
  }
}
