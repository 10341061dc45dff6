import Delivery

/// A delivery as the inbox keeps it: its texts are rendered, its link is checked.
public struct InboxEntry: Hashable, Sendable {
  /// The id of the delivery: 32 hexadecimal digits, the same whenever the delivery is read again.
  public var delivery: String
  /// Whose inbox it goes to.
  public var recipient: InboxRecipient
  /// `single` or `digest`.
  public var kind: String
  /// The title as plain text. It is escaped where it is shown, not here.
  public var title: String
  /// Where a click leads: an `http` or `https` address or a path; nil without one.
  public var link: String?
  /// The category, as the catalog names it; empty of a digest that has several.
  public var category: String
  /// The type of the event, or of the first one in a digest.
  public var type: String
  /// The number of events that it stands for, 1 or more.
  public var eventCount: Int
  /// When the delivery was decided, in milliseconds since the epoch.
  public var createdMilliseconds: Int64
  /// The events that it shows; of a digest, those that the delivery carries in full.
  public var shown: [EngagementReport.Notification]

  /// An entry with all its parts.
  public init(
    delivery: String, recipient: InboxRecipient, kind: String, title: String, link: String?, category: String,
    type: String, eventCount: Int, createdMilliseconds: Int64, shown: [EngagementReport.Notification] = []
  ) {
    self.delivery = delivery
    self.recipient = recipient
    self.kind = kind
    self.title = title
    self.link = link
    self.category = category
    self.type = type
    self.eventCount = eventCount
    self.createdMilliseconds = createdMilliseconds
    self.shown = shown
  }
}

/// A run of records of one topic, with the positions behind them: what one database transaction stores.
public struct InboxBatch: Sendable {
  /// An entry and the record that it came from.
  public struct Record: Sendable {
    /// The partition of the record.
    public var partition: Int32
    /// The offset of the record.
    public var offset: Int64
    /// What to store.
    public var entry: InboxEntry
  }

  /// The topic of the records.
  public let topic: String
  /// The entries in the order of reading.
  public private(set) var records: [Record] = []
  /// Per partition the offset to read next, behind records that yielded no entry, too.
  public private(set) var positions: [Int32: Int64] = [:]

  /// An empty batch.
  public init(topic: String) { self.topic = topic }

  /// Whether there is nothing to store, not even a position.
  public var isEmpty: Bool { positions.isEmpty }

  /// Adds an entry, and the position behind its record.
  public mutating func append(_ entry: InboxEntry, partition: Int32, offset: Int64) {
    records.append(Record(partition: partition, offset: offset, entry: entry))
    advance(partition: partition, to: offset + 1)
  }

  /// Moves the position of a partition on; it never goes back.
  public mutating func advance(partition: Int32, to position: Int64) {
    positions[partition] = max(position, positions[partition] ?? 0)
  }

  /// Empties the batch and keeps its memory.
  public mutating func removeAll() {
    records.removeAll(keepingCapacity: true)
    positions.removeAll(keepingCapacity: true)
  }
}
