import Contract

/// Counts the deliveries that pipelines write. Of each it reads the few fields that are counted.
struct MessageReader: ~Copyable {
  private var parser: JSONParser
  private var scratch = OutputBuffer(capacity: 256)
  private var tally: MessageTally

  init(above: Int) throws(JSONError) {
    // As deep as those who deliver read them.
    parser = try JSONParser(maxDepth: EventLimits().maxDepth + 28)
    tally = MessageTally(above: above)
  }

  /// Counts a delivery.
  ///
  /// - Parameters:
  ///   - value: of its record.
  ///   - key: of its record: the recipient's.
  ///   - channel: whose topic it is for.
  /// - Throws: `Rejection` when it is not what a sink could read.
  mutating func read(_ value: ByteView, key: ByteView, channel: Channel) throws(Rejection) {
    let root: JSONValue
    do {
      root = try parser.parse(value)
    } catch {
      throw Rejection(.notJSON, "It is not JSON: \(error).")
    }
    guard let time = root["time"].flatMap({ RFC3339.milliseconds(of: $0.rawString) }),
      let data = root["data"], let events = data["totals"]?["events"]?.integer,
      let kind = data["kind"]?.rawString, let category = data["category"], category.kind == .string
    else {
      throw Rejection(
        .missingAttribute, "It lacks \"time\", \"kind\", \"category\" or \"totals\".")
    }
    scratch.removeAll()
    scratch.reserve(category.raw.count)
    tally.count(
      MessageTally.Message(
        channel: channel, category: category.string(scratch: &scratch), recipient: key,
        day: Instant(time).day, isDigest: kind.equals(DeliveryKind.digest.literal),
        notifications: Int(clamping: events)))
  }

  /// What was counted; nothing may be read after it.
  func finish() -> MessageTotals { tally.finish() }
}
