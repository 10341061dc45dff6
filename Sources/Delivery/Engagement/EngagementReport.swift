import Contract
import Foundation
import Kafka

/// What a sink tells the engagement topic: what a recipient did with what they got, or what became of it on its way
/// (`docs/engagement.md`).
///
/// What is told about one delivery has the same id however often it is told, so that the same again does no harm.
public struct EngagementReport: Hashable, Sendable {
  /// An event that a recipient was notified of.
  public struct Notification: Hashable, Codable, Sendable {
    /// CloudEvents `source`.
    public var source: String
    /// CloudEvents `id`.
    public var id: String

    /// A notification by the identity of its event.
    public init(source: String, id: String) {
      self.source = source
      self.id = id
    }
  }

  /// What happened.
  public var kind: Engagement.Kind
  /// CloudEvents `id`.
  public var id: String
  /// When it happened, in milliseconds since the epoch.
  public var timeMilliseconds: Int64
  /// The recipient's tenant.
  public var tenant: String
  /// The recipient's id.
  public var recipient: String
  /// Where it happened.
  public var channel: Channel
  /// The category, of `unsubscribed`; nil for other kinds.
  public var category: String?
  /// The delivery that it is about.
  public var delivery: String?
  /// What came to the recipient's eyes, of `seen`, `read` and `clicked`: 1 to 1,000; what is beyond is left out.
  public var notifications: [Notification] = []
  /// The address that takes nothing, of `bounced`.
  public var address: String?

  /// A report about a delivery.
  public init(
    _ kind: Engagement.Kind, of delivery: String, tenant: String, recipient: String, channel: Channel,
    timeMilliseconds: Int64
  ) {
    self.kind = kind
    id = "\(delivery)-\(kind.rawValue)"
    self.timeMilliseconds = timeMilliseconds
    self.tenant = tenant
    self.recipient = recipient
    self.channel = channel
    self.delivery = delivery
  }

  /// CloudEvents `source`: the sink of the channel.
  public var source: String { "/tidings/\(channel.name)" }

  /// The record, a CloudEvent in structured mode, for the home of its recipient.
  func record() throws -> ProducerRecord {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    let isDefault = tenant == RecipientKey.defaultTenant.description
    return ProducerRecord(
      topicIndex: 0, key: Array((isDefault ? recipient : "\(tenant)/\(recipient)").utf8),
      value: Array(try encoder.encode(Envelope(self))),
      headers: [ProducerRecord.Header("content-type", "application/cloudevents+json; charset=UTF-8")])
  }
}

/// The JSON of a record.
private struct Envelope: Encodable {
  struct Content: Encodable {
    var events: [EngagementReport.Notification]?
    var address: String?
  }

  var specversion = "1.0"
  var id: String
  var source: String
  var type: String
  var time: String
  var tenant: String
  var recipient: String
  var channel: String
  var category: String?
  var delivery: String?
  var data: Content?

  init(_ report: EngagementReport) {
    id = report.id
    source = report.source
    type = report.kind.type
    time = Date(timeIntervalSince1970: Double(report.timeMilliseconds) / 1000)
      .formatted(Date.ISO8601FormatStyle(includingFractionalSeconds: true))
    tenant = report.tenant
    recipient = report.recipient
    channel = report.channel.name
    category = report.category
    delivery = report.delivery
    if report.kind.isSight {
      data = Content(events: Array(report.notifications.prefix(Engagement.maxNotifications)))
    } else if let address = report.address {
      data = Content(address: address)
    }
  }
}
