import Contract
import Policy

/// The decoders and encoders of a worker, and the time zones that it has met: their memory is shared by all its
/// partitions. Confined to its thread.
public struct Codecs: ~Copyable {
  var events: EventDecoder
  var routed: EventDecoder
  var recipients: RecipientDecoder
  var engagement: EngagementDecoder
  var subscriptions: SubscriptionDecoder
  var forwards: ForwardEncoder
  var rejections: RejectionEncoder
  var fields: FieldReader
  /// The bounds of records of the tables.
  let limits: EventLimits
  private let zones: ZoneCache
  private let deploymentZone: StaticBytes
  private let topicNames: TopicNames

  /// Codecs for records of at most `recordLimit` bytes.
  ///
  /// - Parameters:
  ///   - prefix: of topic names, as decisions and rejections name them.
  ///   - recordLimit: the largest record, in bytes.
  ///   - timeZone: the IANA name of the zone of recipients whose record names none that is known; UTC where it is
  ///     empty or none itself.
  ///   - zones: where zones are looked up. What is decided by a schedule depends on it.
  /// - Throws: `JSONError` when there is no memory.
  public init(
    prefix: String, recordLimit: Int, timeZone: String = "", zones: ZoneDatabase = .system
  ) throws(JSONError) {
    let limits = EventLimits(maxRecordBytes: recordLimit)
    // All that can fail comes before the first field: a part of a non-copyable value cannot be thrown away.
    let events = try EventDecoder(limits: limits)
    let routed = try EventDecoder(limits: limits.forwarded)
    let recipients = try RecipientDecoder(maxBytes: recordLimit)
    let fields = try FieldReader()
    let engagement = try EngagementDecoder(limits: limits.forwarded)
    let subscriptions = try SubscriptionDecoder(maxBytes: recordLimit)
    self.events = events
    self.routed = routed
    self.recipients = recipients
    self.engagement = engagement
    self.subscriptions = subscriptions
    self.forwards = ForwardEncoder()
    self.rejections = RejectionEncoder()
    self.fields = fields
    self.limits = limits
    self.zones = ZoneCache(zones)
    deploymentZone = StaticBytes(timeZone)
    topicNames = TopicNames(prefix: prefix)
  }

  /// The full name of a topic; valid as long as the codecs are.
  func name(of topic: InputTopic) -> ByteView { topicNames[topic] }

  /// The zone that decides for a recipient: their own, their tenant's, the deployment's, UTC.
  func zone(of layers: ProfileLayers) -> ZoneChoice {
    zones.choose(layers, deployment: deploymentZone.view)
  }
}

/// The full names of the input topics.
private final class TopicNames {
  private let names: [StaticBytes]
  private let views: [ByteView]

  init(prefix: String) {
    // In the order of the topics' numbers.
    names = InputTopic.allCases.map { StaticBytes("\(prefix).\($0.name)") }
    views = names.map(\.view)
  }

  subscript(topic: InputTopic) -> ByteView { views[Int(topic.rawValue)] }
}

/// Bytes at an address that stays.
final class StaticBytes {
  private let memory: UnsafeMutablePointer<UInt8>
  private let count: Int

  init(_ text: String) {
    let bytes = Array(text.utf8)
    memory = .allocate(capacity: max(1, bytes.count))
    memory.initialize(from: bytes, count: bytes.count)
    count = bytes.count
  }

  deinit { memory.deallocate() }

  var view: ByteView { ByteView(start: UnsafePointer(memory), count: count) }
}
