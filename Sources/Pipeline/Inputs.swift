import Contract

/// A topic whose records a home partition takes in, in the order of the positions in the state's header.
public enum InputTopic: UInt8, CaseIterable, Sendable {
  /// What upstream teams publish.
  case events = 0
  /// What was forwarded to its recipient's home; only the processor writes it.
  case routed = 1
  /// The recipients' records, compacted.
  case recipients = 2
  /// What recipients did with what they got, and what became of it on its way: seen, unsubscribed, bounced.
  case engagement = 3
  /// Who follows which audience, compacted.
  case subscriptions = 4

  /// The topic's name behind the prefix.
  public var name: String {
    switch self {
    case .events: "events"
    case .routed: "routed"
    case .recipients: "recipients"
    case .engagement: "engagement"
    case .subscriptions: "subscriptions"
    }
  }

  /// Whether the topic is a table: compacted, and read whole before anything is decided.
  public var isTable: Bool { self == .recipients || self == .subscriptions }

  /// The topics that are tables.
  public static let tables = allCases.filter(\.isTable)
}

/// One consumed record on its way into a home partition. Its views are valid during the call that takes it.
public struct PartitionRecord {
  /// The topic it came from; its partition is the home partition's.
  public var topic: InputTopic
  /// Its offset.
  public var offset: Int64
  /// The broker's append time, in milliseconds since the epoch.
  public var appended: Int64
  /// Key, value and headers.
  public var content: InputRecord

  /// A record of a topic at an offset.
  public init(topic: InputTopic, offset: Int64, appended: Int64, content: InputRecord) {
    self.topic = topic
    self.offset = offset
    self.appended = appended
    self.content = content
  }

  /// When its event was appended where it was read first, in milliseconds since the epoch: what was forwarded says so.
  func firstAppended(of event: EventView) -> Int64 {
    topic == .routed ? event.originAppendedMilliseconds ?? appended : appended
  }
}

/// The offset to read next, per input topic. −1 stands for "none yet".
public struct InputPositions: Equatable, Sendable {
  /// By the topic's number, in place: ledgers are copied for every record of a restore.
  private var offsets = SIMD8<Int64>(repeating: -1)

  /// No positions.
  public init() {}

  /// The next offset of a topic.
  public subscript(topic: InputTopic) -> Int64 {
    get { offsets[Int(topic.rawValue)] }
    set { offsets[Int(topic.rawValue)] = newValue }
  }
}
