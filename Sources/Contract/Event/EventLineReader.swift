/// Turns lines of NDJSON, a CloudEvent in the JSON format each, into records of the events topic in structured mode.
///
/// The line becomes the value unchanged. The key is the recipient's, so that the event comes to its home partition at
/// once, or the audience's; an event with several recipients has no key.
public struct EventLineReader: ~Copyable {
  /// An event of a line and the record for it; both are valid until the next line and as long as the line is.
  public struct Line {
    /// The event as the processor will read it.
    public let event: EventView
    /// The record to produce.
    public let record: OutputRecord
  }

  private var decoder: EventDecoder
  private var key = OutputBuffer(capacity: 256)
  private var headers = HeaderList(capacity: 1)

  /// A reader for events within those limits.
  ///
  /// - Throws: `JSONError` when there is no memory.
  public init(limits: EventLimits = EventLimits()) throws(JSONError) {
    decoder = try EventDecoder(limits: limits)
    headers.append("content-type", ByteView("application/cloudevents+json; charset=UTF-8"))
  }

  /// Reads one line, without its line break.
  ///
  /// - Throws: `Rejection` with what breaks the contract: the processor would reject the record for the same reason.
  public mutating func read(_ line: ByteView) throws(Rejection) -> Line {
    switch decoder.decode(structured: line) {
    case .rejected(let rejection): throw rejection
    case .event(let event):
      key.removeAll()
      if event.recipientCount == 1 {
        RecipientKey.append(tenant: event.tenant, recipient: event.recipient(at: 0), to: &key)
      } else if !event.audience.isEmpty {
        AudienceKey.append(tenant: event.tenant, audience: event.audience, to: &key)
      }
      let record = OutputRecord(
        key: key.view.isEmpty ? nil : key.view, value: line, headers: headers.view)
      let size = InputRecord(record).byteCount
      guard size <= decoder.limits.maxRecordBytes else {
        throw Rejection(
          .recordTooLarge,
          "The record has \(size) bytes with its key and headers, and at most "
            + "\(decoder.limits.maxRecordBytes) are allowed.")
      }
      return Line(event: event, record: record)
    }
  }
}
