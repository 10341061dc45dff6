import Contract

/// A window that is due, and what decides its place among those that are due at the same instant. Its views are valid until
/// the window changes.
struct ClosingPlace: Comparable {
  let entry: DueQueue.Entry
  private let tenant: ByteView
  private let recipient: ByteView
  private let channel: UInt8
  private let group: ByteView
  private let keyValues: ByteView

  init(_ entry: DueQueue.Entry, _ window: Window) {
    let head = window.head
    self.entry = entry
    tenant = head?.tenant ?? .empty
    recipient = head?.recipient ?? .empty
    channel = head?.channel.rawValue ?? 0
    group = head?.group ?? .empty
    keyValues = head?.rules.keyValues ?? .empty
  }

  static func < (left: ClosingPlace, right: ClosingPlace) -> Bool {
    if left.tenant != right.tenant { return left.tenant < right.tenant }
    if left.recipient != right.recipient { return left.recipient < right.recipient }
    if left.channel != right.channel { return left.channel < right.channel }
    if left.group != right.group { return left.group < right.group }
    if left.keyValues != right.keyValues { return left.keyValues < right.keyValues }
    return left.entry.slot < right.entry.slot
  }

  static func == (left: ClosingPlace, right: ClosingPlace) -> Bool {
    !(left < right) && !(right < left)
  }
}
