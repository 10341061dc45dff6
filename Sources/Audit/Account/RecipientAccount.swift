import Contract

/// What became of the notifications of one recipient in a range of time: what `tidings why` prints.
public struct RecipientAccount: Sendable, Encodable {
  /// Where a record stands.
  public struct Place: Hashable, Sendable, Encodable {
    /// The topic.
    public var topic: String
    /// The partition.
    public var partition: Int32
    /// The offset.
    public var offset: Int64
  }

  /// How an event arrived at the recipient's home.
  public struct Arrival: Equatable, Sendable, Encodable {
    /// The record that was decided.
    public var at: Place
    /// When the broker appended it; nil where retention has deleted it.
    public var appended: Instant?
    /// Where it was read first, if it was forwarded home; of an event for an audience, where it was fanned out.
    public var origin: Place?
    /// The audience that the recipient follows, and that the event was for; nil where it named its recipients.
    public var audience: String?
  }

  /// The newest record of the recipient.
  public struct RecipientRecord: Equatable, Sendable, Encodable {
    /// The record.
    public var at: Place
    /// When the broker appended it.
    public var appended: Instant
  }

  /// A decision.
  public struct Verdict: Equatable, Sendable, Encodable {
    /// Its id: partition and number.
    public var decision: String
    /// When it was made.
    public var time: Instant
    /// Its record.
    public var at: Place
  }

  /// What a sink did with a delivery, as far as anything keeps it.
  public enum HandOver: String, Sendable, Encodable {
    /// The sink has committed an offset behind it: it was handed over, or died (`DeadLetter`).
    case done
    /// The sink has not come to it, or is at it.
    case waiting
    /// The sink's group has no offset for the partition: no sink ran, or the offset has expired.
    case unknown
  }

  /// A delivery that the sink gave up.
  public struct DeadLetter: Equatable, Sendable, Encodable {
    /// The record in the dead-letter topic.
    public var at: Place
    /// When it was written.
    public var time: Instant
    /// The code: `refused`, `attemptsExhausted`, or a reason of the contract.
    public var reason: String
    /// What the other side said, in its words.
    public var detail: String
    /// How often it was tried.
    public var attempts: Int
  }

  /// A delivery record and its way.
  public struct Delivery: Equatable, Sendable, Encodable {
    /// Its id.
    public var id: String
    /// Its record.
    public var at: Place
    /// When the broker appended it.
    public var appended: Instant
    /// `single` or `digest`.
    public var kind: String
    /// Where it is sent; nil where the channel needs no address.
    public var address: String?
    /// The offset of the recipient's record that it was made with; nil if there was none.
    public var recipientRecord: Int64?
    /// The events that it stands for.
    public var events: Int
    /// Whether the sink is done with it.
    public var handOver: HandOver
    /// Why it was given up, if it was.
    public var deadLetter: DeadLetter?
  }

  /// A digest, or one that is still to come.
  public struct Digest: Equatable, Sendable, Encodable {
    /// The window's id, which is the digest's.
    public var id: String
    /// When it is due as of the arrival.
    public var due: Instant?
    /// The decision that closed it; nil while it is open.
    public var closed: Verdict?
    /// How many notifications it delivered.
    public var members: Int?
  }

  /// What became of a notification on one channel.
  public struct ChannelAccount: Equatable, Sendable, Encodable {
    /// The channel.
    public var channel: String
    /// `delivered`, `digest`, `open`, `suppressed`, `expired`, `retracted`, `collapsed`, or another that newer
    /// processors write. `digest` is delivered as part of one.
    public var outcome: String
    /// Why it was suppressed.
    public var reason: String?
    /// The decision that took it out of its window again, if one did.
    public var withdrawn: Verdict?
    /// The id of the event that was the cause of that.
    public var cause: String?
    /// What decided besides the catalog's version; nil where the decision does not say.
    public var grounds: Grounds?
    /// The window that it was put into.
    public var digest: Digest?
    /// The id of the delivery that the decision names.
    public var deliveryID: String?
    /// The delivery record; nil where there is none, or it is not found any more.
    public var delivery: Delivery?
  }

  /// One arrival of a notification: the same again is another one.
  public struct Notification: Equatable, Sendable, Encodable {
    /// Its id: the hash of tenant, source, event id and recipient.
    public var id: String
    /// CloudEvents `source`.
    public var source: String
    /// CloudEvents `id`.
    public var event: String
    /// CloudEvents `type`.
    public var type: String
    /// The category; nil where the decision names none.
    public var category: String?
    /// How it came.
    public var arrival: Arrival
    /// What decided it.
    public var verdict: Verdict
    /// The version of the catalog: 16 hexadecimal digits.
    public var catalog: String
    /// Whether it had been decided before.
    public var isDuplicate: Bool
    /// The offset of the recipient's record that it was decided with; nil where there was none, and of a repeat.
    public var recipientRecord: Int64?
    /// The earlier arrival that makes it a duplicate, if it lies in the range.
    public var repeats: Place?
    /// What became of it by channel.
    public var channels: [ChannelAccount]
  }

  /// A digest that was closed in the range with notifications that came before it.
  public struct EarlierDigest: Equatable, Sendable, Encodable {
    /// The channel.
    public var channel: String
    /// The window.
    public var digest: Digest
    /// Notifications in it that came before the range.
    public var earlierMembers: Int
    /// Why the channel got nothing of those that had not expired; nil where it got them.
    public var suppressionReason: String?
    /// Whether its notifications were too few for a digest, and each was delivered alone.
    public var isSingly = false
    /// The ids of the deliveries of those that came before the range, where each was delivered alone.
    public var singleIDs: [String] = []
    /// Their records, as far as they are found, in the order of the topic.
    public var singles: [Delivery] = []
    /// The digest's record, if it is found; nil where there is none.
    public var delivery: Delivery?
  }

  /// The tenant.
  public let tenant: String
  /// The recipient's id.
  public let recipient: String
  /// The home partition, the only one that was read.
  public let partition: Int32
  /// P.
  public let partitionCount: Int32
  /// From when on decisions were read.
  public let since: Instant
  /// Decisions of all recipients of the partition that were read.
  public internal(set) var decisionsRead = 0
  /// Those of them that are about the recipient.
  public internal(set) var recipientDecisions = 0
  /// When the first decision that is kept was appended, where retention has deleted what the range asks for, in
  /// milliseconds since the epoch.
  public internal(set) var keptSince: Instant?
  /// The recipient's record in force, which may not be the one that decided. Looked for only where it may explain
  /// something: nothing was found, or a channel was suppressed by it.
  public internal(set) var recipientRecord: RecipientRecord?
  /// Input records of the partition that the processor has not come to: an event may be among them.
  public internal(set) var undecidedRecords: Int64?
  /// The notifications, in the order in which they were decided.
  public internal(set) var notifications: [Notification] = []
  /// What the recipient did in the range, and what became of it on its way. Of one event that is asked for, what is about
  /// that, and what is about none.
  public internal(set) var engagement: [EngagementRecord] = []
  /// Digests of the range whose notifications came before it.
  public internal(set) var earlierDigests: [EarlierDigest] = []

  /// Whether the recipient's record may explain something.
  var needsRecipientRecord: Bool {
    isEmpty
      || notifications.flatMap(\.channels).contains { $0.outcome == "suppressed" && $0.reason != "duplicate" }
  }

  /// Whether there is nothing to tell.
  public var isEmpty: Bool { notifications.isEmpty && earlierDigests.isEmpty }

  init(tenant: String, recipient: String, partition: Int32, partitionCount: Int32, since: Instant) {
    self.tenant = tenant
    self.recipient = recipient
    self.partition = partition
    self.partitionCount = partitionCount
    self.since = since
  }
}
