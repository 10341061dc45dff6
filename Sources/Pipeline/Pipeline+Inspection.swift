import Contract

/// An open window as a tool sees it. The views are valid until the pipeline changes.
public struct OpenWindow {
  /// Where later arrivals find it: a hash of recipient, channel and digest key.
  public let key: Hash128
  /// The id of its digest.
  public let id: Hash128
  /// When it was opened, in milliseconds since the epoch.
  public let opened: Int64
  /// When it closes, in milliseconds since the epoch.
  public let due: Int64
  /// The notifications in it.
  public let memberCount: Int
  /// The tenant.
  public let tenant: ByteView
  /// The recipient's id.
  public let recipient: ByteView
  /// The channel of its digest.
  public let channel: Channel
  /// The digest key next to recipient and channel.
  public let group: ByteView
  /// The category that it was opened with.
  public let category: ByteView
  /// The notification type that it was opened with.
  public let type: ByteView
  /// The title template that it was opened with.
  public let title: ByteView
  /// The version of the catalog that it was opened with.
  public let catalogVersion: UInt64

  private let window: Window

  init?(_ window: Window) {
    guard let head = window.head else { return nil }
    key = window.key
    id = window.id
    opened = window.opened
    due = window.due
    memberCount = Int(window.memberCount)
    tenant = head.tenant
    recipient = head.recipient
    channel = head.channel
    group = head.group
    category = head.category
    type = head.type
    title = head.title
    catalogVersion = head.catalogVersion
    self.window = window
  }

  /// Its notifications in the order of their arrival.
  ///
  /// - Parameter body: takes the notification's hash, its expiry in milliseconds since the epoch (nil: none), and
  ///   its item as JSON (empty beyond the window's item limit).
  public func forEachMember(_ body: (Hash128, Int64?, ByteView) -> Void) {
    for member in window.members {
      body(member.notification, member.expiry == .max ? nil : member.expiry, member.fragment)
    }
  }
}

extension Pipeline {
  /// The offset of the newest recipient's record that is known, in the partition's own topic; nil where there is none.
  /// It takes time in proportion to the number of recipients.
  public var newestRecipientOffset: Int64? { recipients.newestOffset }

  /// The open windows in the order of their keys.
  public func forEachOpenWindow<Failure: Error>(
    _ body: (OpenWindow) throws(Failure) -> Void
  ) throws(Failure) {
    // In parts: the list of all keys at once would be as long as the state.
    for start in stride(from: UInt32(0), to: 65_536, by: 1024) {
      for (_, slot) in windows.entries(prefixes: start..<start + 1024) {
        if let window = OpenWindow(windows[slot]) { try body(window) }
      }
    }
  }

  /// The ids that count, in the order of their hashes.
  ///
  /// - Parameter body: takes the hash as far as it is kept (the lowest 26 bits of the upper half are 0), and the
  ///   minute of the input clock at which it was first seen, in milliseconds since the epoch.
  public func forEachID<Failure: Error>(
    _ body: (Hash128, Int64) throws(Failure) -> Void
  ) throws(Failure) {
    var found: [DedupTable.Entry] = []
    for start in stride(from: UInt32(0), to: 65_536, by: 256) {
      found.removeAll(keepingCapacity: true)
      ids.forEach(prefixes: start..<start + 256, confirmedMinute: confirmedMinute) { found.append($0) }
      for entry in found { try body(Hash128(high: entry.identity, low: entry.low), entry.minute * 60_000) }
    }
  }
}
