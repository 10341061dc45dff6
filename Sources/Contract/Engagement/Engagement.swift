/// What a recipient did with what they got, or what became of it on its way to them: a record of the engagement
/// topic (`docs/engagement.md`).
///
/// Its views are valid until the decoder's next record and as long as the record is.
public struct Engagement {
  /// What happened.
  public enum Kind: String, CaseIterable, Sendable {
    /// The recipient saw the notifications.
    case seen
    /// The recipient opened them. It counts as seen, too.
    case read
    /// The recipient followed their link. It counts as seen, too.
    case clicked
    /// The recipient wants nothing more of a category on a channel.
    case unsubscribed
    /// The recipient takes that back.
    case resubscribed
    /// The address does not exist, or never takes anything.
    case bounced
    /// The recipient called a message unwanted.
    case complained

    /// What stands before the kind in the CloudEvents `type`.
    public static var typePrefix: StaticString { "tidings.engagement." }

    /// The CloudEvents `type` of its records.
    public var type: String { "\(Self.typePrefix)\(rawValue)" }

    /// The position among all kinds: an index for counters.
    public var index: Int { Kind.allCases.firstIndex(of: self) ?? 0 }

    /// Whether it says that notifications came to the recipient's eyes.
    public var isSight: Bool { self == .seen || self == .read || self == .clicked }
  }

  /// What happened.
  public var kind: Kind
  /// CloudEvents `source`: with the id, it names the record.
  public var source: ByteView
  /// CloudEvents `id`.
  public var id: ByteView
  /// The recipient's tenant.
  public var tenant: ByteView
  /// The recipient's id.
  public var recipient: ByteView
  /// The channel on which it happened.
  public var channel: Channel
  /// The category, of `unsubscribed` and `resubscribed`, `*` for all; else empty.
  public var category: ByteView
  /// The address that is meant, of `bounced`; else empty.
  public var address: ByteView
  /// The delivery that it is about, as its publisher wrote it; empty where it names none.
  public var delivery: ByteView
  /// The notifications that were seen, of `seen`, `read` and `clicked`; else none.
  public var notifications: [Hash128]
  /// CloudEvents `time`, in milliseconds since the epoch; nil where the record has none.
  public var time: Int64?

  /// What stands for all categories.
  public static var everyCategory: StaticString { "*" }

  /// The most notifications in one record.
  public static let maxNotifications = 1000
}
