/// What the recipients topic says about a recipient.
public struct RecipientRecord: Equatable, Sendable {
  /// A category that the recipient does not want on a channel.
  public struct OptOut: Equatable, Hashable, Sendable {
    /// The category; nil stands for all (`*`).
    public var category: String?
    /// The channel; nil stands for all (`*`).
    public var channel: Channel?

    /// An opt-out; nil stands for all.
    public init(category: String?, channel: Channel?) {
      self.category = category
      self.channel = channel
    }
  }

  /// The address for email.
  public var email: String?
  /// The locale (BCP 47), not checked here.
  public var locale: String?
  /// The time zone (IANA), not checked here.
  public var timeZone: String?
  /// What the recipient does not want: at most `maxOptOuts`.
  public var optOut: [OptOut]

  /// The opt-outs that a record may have.
  public static let maxOptOuts = 1000

  /// A record of those parts.
  public init(email: String? = nil, locale: String? = nil, timeZone: String? = nil, optOut: [OptOut] = []) {
    self.email = email
    self.locale = locale
    self.timeZone = timeZone
    self.optOut = optOut
  }

  /// Whether the recipient does not want that category on that channel.
  public func optsOut(of category: String, on channel: Channel) -> Bool {
    optOut.contains { ($0.category ?? category) == category && ($0.channel ?? channel) == channel }
  }
}

extension OutputBuffer {
  /// Appends a recipient's record as JSON, the value of a record of the recipients topic.
  public mutating func append(recipient record: RecipientRecord) {
    append("{\"optOut\":[")
    for (index, entry) in record.optOut.enumerated() {
      append(index == 0 ? "{\"category\":" : ",{\"category\":")
      append(jsonString: entry.category ?? "*")
      append(comma: "channel", literal: entry.channel?.literal ?? "*")
      append("}")
    }
    append("]")
    for (name, text) in [("email", record.email), ("locale", record.locale), ("timeZone", record.timeZone)] {
      guard let text else { continue }
      append(",")
      append(jsonString: name)
      append(":")
      append(jsonString: text)
    }
    append("}")
  }
}
