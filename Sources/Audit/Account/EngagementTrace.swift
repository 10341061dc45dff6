import Contract
import Kafka

extension RecipientAccount {
  /// What a recipient did, or what became of it on its way: a record of the engagement topic.
  public struct EngagementRecord: Equatable, Sendable, Encodable {
    /// The record.
    public var at: Place
    /// When the broker appended it.
    public var appended: Instant
    /// CloudEvents `id`.
    public var id: String
    /// `seen`, `unsubscribed`, and so on.
    public var kind: String
    /// The channel on which it happened.
    public var channel: String
    /// The category that is meant; nil where none is.
    public var category: String?
    /// The address that is meant; nil where none is.
    public var address: String?
    /// The ids of the notifications that were seen.
    public var notifications: [String]

    /// In one line.
    var sentence: String {
      var text = "\(appended)  \(kind) on \(channel)"
      if let category { text += ", category \(category)" }
      if let address { text += ", \(address)" }
      if !notifications.isEmpty {
        text += ", \(notifications.count) notification\(notifications.count == 1 ? "" : "s")"
      }
      return "\(text): \"\(id)\" at \(at)"
    }
  }
}

/// Finds the engagement records of a recipient in their home partition.
struct EngagementTrace: ~Copyable {
  private let topics: AuditTopics
  private var decoder: EngagementDecoder

  init(_ topics: AuditTopics) throws(JSONError) {
    let decoder = try EngagementDecoder(limits: EventLimits(maxRecordBytes: topics.recordLimit).forwarded)
    self.decoder = decoder
    self.topics = topics
  }

  /// What a record says, if it is about the recipient.
  mutating func read(
    _ record: ConsumedRecord, of question: AccountQuestion
  ) -> RecipientAccount.EngagementRecord? {
    do throws(Rejection) {
      let engagement = try decoder.decode(
        InputRecord(key: record.key, value: record.value, headers: record.headers))
      guard
        question.matches(recipient: engagement.recipient.string, tenant: engagement.tenant.string)
      else { return nil }
      return RecipientAccount.EngagementRecord(
        at: RecipientAccount.Place(
          topic: topics.name(of: .engagement), partition: record.partition, offset: record.offset),
        appended: Instant(record.timestampMilliseconds), id: engagement.id.string,
        kind: engagement.kind.rawValue, channel: engagement.channel.name,
        category: engagement.category.isEmpty ? nil : engagement.category.string,
        address: engagement.address.isEmpty ? nil : engagement.address.string,
        notifications: engagement.notifications.map(\.hex))
    } catch {
      // It is in the topic of rejected records.
      return nil
    }
  }
}
