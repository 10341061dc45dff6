import Contract

/// One opt-out: a category, or all of them, on one channel or on all.
public typealias OptOut = RecipientRecord.OptOut

/// What is known of a recipient, and its compact form: the bytes that a partition keeps for each of its recipients.
///
/// The form is private to the process that made it (it is rebuilt from the recipients topic at every restore), so
/// that it carries no version.
public struct RecipientProfile: Equatable, Sendable {
  /// The mail address.
  public var email: String?
  /// The language, as a BCP 47 tag.
  public var locale: String?
  /// The time zone, as an IANA name.
  public var timeZone: String?
  /// What the recipient does not want.
  public var optOuts: [OptOut]

  /// A profile; an empty text counts as absent.
  public init(
    email: String? = nil, locale: String? = nil, timeZone: String? = nil, optOuts: [OptOut] = []
  ) {
    self.email = email
    self.locale = locale
    self.timeZone = timeZone
    self.optOuts = optOuts
  }

  /// The profile that a recipient's record gives.
  public init(_ record: RecipientRecord) {
    self.init(
      email: record.email, locale: record.locale, timeZone: record.timeZone, optOuts: record.optOut)
  }

  /// Appends the compact form: address, locale and zone with their lengths, an empty one where it is absent; then for
  /// each category that is opted out of the channels as a mask and its name with its length, `*` for every category.
  public func encode(into output: inout OutputBuffer) {
    for text in [email, locale, timeZone] {
      (text ?? "").withByteView { output.append(lengthPrefixed: $0) }
    }
    for (category, mask) in masks {
      output.append(byte: mask)
      category.withByteView { output.append(lengthPrefixed: $0) }
    }
  }

  /// The channels opted out of per category, in the order of the first mention.
  private var masks: [(category: String, mask: UInt8)] {
    var masks: [(category: String, mask: UInt8)] = []
    var positions: [String: Int] = [:]
    for optOut in optOuts {
      let category = optOut.category ?? RecipientProfileView.everyCategory.description
      let mask = optOut.channel.map(RecipientProfileView.mask) ?? RecipientProfileView.everyChannel
      if let position = positions[category] {
        masks[position].mask |= mask
      } else {
        positions[category] = masks.count
        masks.append((category, mask))
      }
    }
    return masks
  }
}

/// A recipient's compact form, read in place: nothing is copied or allocated.
///
/// Valid as long as the bytes. Bytes that `encode(into:)` did not write are read within their bounds and give
/// absent fields at worst.
public struct RecipientProfileView {
  /// The mail address; empty where there is none.
  public let email: ByteView
  /// The language; empty where it is unknown.
  public let locale: ByteView
  /// The time zone; empty where it is unknown.
  public let timeZone: ByteView

  private let optOuts: ByteView

  static let everyChannel: UInt8 = 0xFF
  static let everyCategory: StaticString = "*"

  static func mask(_ channel: Channel) -> UInt8 { 1 << channel.rawValue }

  /// A view of a compact form; empty bytes are a recipient of whom nothing is known.
  public init(_ bytes: ByteView) {
    var cursor = 0
    email = RecipientProfileView.text(of: bytes, &cursor)
    locale = RecipientProfileView.text(of: bytes, &cursor)
    timeZone = RecipientProfileView.text(of: bytes, &cursor)
    optOuts = bytes.slice(min(cursor, bytes.count)..<bytes.count)
  }

  /// Where the recipient is reached on a channel; nil where the channel needs no address or none is known.
  public func address(for channel: Channel) -> ByteView? {
    switch channel {
    case .email: email.isEmpty ? nil : email
    case .inapp: nil
    }
  }

  /// Whether the recipient does not want a category on a channel.
  public func optsOut(of category: ByteView, _ channel: Channel) -> Bool {
    var cursor = 0
    while cursor < optOuts.count {
      let mask = optOuts[cursor]
      cursor += 1
      let named = RecipientProfileView.text(of: optOuts, &cursor)
      if mask & RecipientProfileView.mask(channel) != 0,
        named == category || named.equals(RecipientProfileView.everyCategory)
      {
        return true
      }
    }
    return false
  }

  /// The text at the cursor, which moves behind it; to the end of the bytes where they are no such text.
  private static func text(of bytes: ByteView, _ cursor: inout Int) -> ByteView {
    var length: UInt64 = 0
    var shift: UInt64 = 0
    while cursor < bytes.count, shift < 63 {
      let byte = bytes[cursor]
      cursor += 1
      length |= UInt64(byte & 0x7F) << shift
      shift += 7
      guard byte & 0x80 != 0 else {
        guard length <= UInt64(bytes.count - cursor) else { break }
        let start = cursor
        cursor += Int(length)
        return bytes.slice(start..<cursor)
      }
    }
    cursor = bytes.count
    return .empty
  }
}
