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
  /// What the recipient does not want, before all preferences.
  public var optOuts: [OptOut]
  /// What the recipient wants.
  public var preferences: [Preference]
  /// When the recipient wants to be left alone; nil where nothing is said of it.
  public var quietHours: QuietHours?
  /// Subjects of which the recipient wants to hear nothing.
  public var mutes: [Mute]

  /// A profile; an empty text counts as absent.
  public init(
    email: String? = nil, locale: String? = nil, timeZone: String? = nil, optOuts: [OptOut] = [],
    preferences: [Preference] = [], quietHours: QuietHours? = nil, mutes: [Mute] = []
  ) {
    self.email = email
    self.locale = locale
    self.timeZone = timeZone
    self.optOuts = optOuts
    self.preferences = preferences
    self.quietHours = quietHours
    self.mutes = mutes
  }

  /// The profile that a recipient's record gives.
  public init(_ record: RecipientRecord) {
    self.init(
      email: record.email, locale: record.locale, timeZone: record.timeZone, optOuts: record.optOut,
      preferences: record.preferences, quietHours: record.quietHours, mutes: record.mutes)
  }

  /// Appends the compact form: address, locale and zone with their lengths, an empty one where it is absent; the
  /// quiet hours; the mutes with their number, each as the hash of its subject and its end; then, to the end, what is
  /// wanted, each as channel, setting and category with its length.
  public func encode(into output: inout OutputBuffer) {
    for text in [email, locale, timeZone] {
      (text ?? "").withByteView { output.append(lengthPrefixed: $0) }
    }
    if let quietHours {
      quietHours.encode(into: &output)
    } else {
      output.append(byte: RecipientProfileView.nothingSaid)
    }
    output.append(varint: UInt64(mutes.count))
    for mute in mutes {
      output.append(mute.subject.withByteView { Hash128(of: $0) })
      output.append(littleEndian: mute.until ?? .max)
    }
    for optOut in optOuts {
      RecipientProfile.append(
        optOut.category, optOut.channel, RecipientProfileView.optOutCode, to: &output)
    }
    for preference in preferences {
      RecipientProfile.append(
        preference.category, preference.channel, preference.setting.rawValue, to: &output)
    }
  }

  /// The compact form.
  public var encoded: [UInt8] {
    var output = OutputBuffer()
    encode(into: &output)
    return Array(output.view.buffer)
  }

  private static func append(
    _ category: String?, _ channel: Channel?, _ code: UInt8, to output: inout OutputBuffer
  ) {
    output.append(byte: channel?.rawValue ?? RecipientProfileView.everyChannel)
    output.append(byte: code)
    (category ?? RecipientProfileView.everyCategory.description).withByteView {
      output.append(lengthPrefixed: $0)
    }
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

  private let quietForm: ByteView
  /// Whether times of quiet hours are named. Few name any, and reading them takes a while.
  public let namesQuietHours: Bool
  /// 24 bytes each.
  @usableFromInline let mutes: ByteView
  @usableFromInline let wishes: ByteView

  static let everyChannel: UInt8 = 0xFF
  static let optOutCode: UInt8 = 0xFF
  static let everyCategory: StaticString = "*"
  /// In place of the number of intervals of the quiet hours.
  static let nothingSaid: UInt8 = 0xFF
  private static let muteBytes = 24

  /// A view of a compact form; empty bytes are a recipient of whom nothing is known.
  public init(_ bytes: ByteView) {
    var cursor = 0
    email = RecipientProfileView.text(of: bytes, &cursor)
    locale = RecipientProfileView.text(of: bytes, &cursor)
    timeZone = RecipientProfileView.text(of: bytes, &cursor)
    let quietByte = cursor < bytes.count ? bytes[cursor] : RecipientProfileView.nothingSaid
    let quietCount = quietByte == RecipientProfileView.nothingSaid ? 0 : Int(quietByte)
    quietForm = RecipientProfileView.take(1 &+ 4 &* quietCount, of: bytes, &cursor)
    namesQuietHours = quietCount > 0
    let muteCount = RecipientProfileView.number(of: bytes, &cursor) ?? 0
    if muteCount == 0 {
      mutes = .empty
    } else {
      let most = UInt64(bytes.count / RecipientProfileView.muteBytes)
      mutes = RecipientProfileView.take(
        RecipientProfileView.muteBytes * Int(min(muteCount, most)), of: bytes, &cursor)
    }
    wishes = bytes.slice(cursor..<bytes.count)
  }

  /// Where the recipient is reached on a channel; nil where the channel needs no address or none is known.
  @inlinable
  public func address(for channel: Channel) -> ByteView? {
    switch channel {
    case .email: email.isEmpty ? nil : email
    case .inapp: nil
    }
  }

  /// When the recipient wants to be left alone; nil where nothing is said of it.
  public var quietHours: QuietHours? {
    // The first byte is the number of intervals.
    guard !quietForm.isEmpty, quietForm[0] != RecipientProfileView.nothingSaid else { return nil }
    return quietForm[0] == 0 ? QuietHours.none : QuietHours(quietForm)
  }

  /// Whether the recipient wants to hear nothing of a subject at an instant, in milliseconds since the epoch.
  @inlinable
  public func mutes(_ subject: ByteView, at instant: Int64) -> Bool {
    !mutes.isEmpty && !subject.isEmpty && RecipientProfileView.mutes(mutes, subject, at: instant)
  }

  @usableFromInline
  static func mutes(_ mutes: ByteView, _ subject: ByteView, at instant: Int64) -> Bool {
    let hash = Hash128(of: subject)
    var start = 0
    while start < mutes.count {
      if word(of: mutes, at: start) == hash.high, word(of: mutes, at: start + 8) == hash.low,
        instant < Int64(bitPattern: word(of: mutes, at: start + 16))
      {
        return true
      }
      start += RecipientProfileView.muteBytes
    }
    return false
  }

  /// What the recipient says of a category on a channel: an opt-out, else the preference that names both, else the one
  /// that names the category, else the one that names the channel, else the one for all. Nil where nothing is said.
  @inlinable
  public func wish(for category: ByteView, on channel: Channel) -> DecidingPreference? {
    wishes.isEmpty ? nil : RecipientProfileView.wish(of: wishes, for: category, on: channel)
  }

  @usableFromInline
  static func wish(
    of wishes: ByteView, for category: ByteView, on channel: Channel
  ) -> DecidingPreference? {
    var best: DecidingPreference?
    var cursor = 0
    while cursor + 2 <= wishes.count {
      let (place, code) = (wishes[cursor], wishes[cursor + 1])
      cursor += 2
      let named = RecipientProfileView.text(of: wishes, &cursor)
      let isEveryChannel = place == RecipientProfileView.everyChannel
      guard isEveryChannel || place == channel.rawValue else { continue }
      let isEveryCategory = named.equals(RecipientProfileView.everyCategory)
      guard isEveryCategory || named == category else { continue }
      let isOptOut = code == RecipientProfileView.optOutCode
      guard let setting = isOptOut ? .off : Preference.Setting(rawValue: code) else { continue }
      let match = DecidingPreference(
        setting: setting, namesCategory: !isEveryCategory, namesChannel: !isEveryChannel, isOptOut: isOptOut)
      if match.rank > best?.rank ?? -1 { best = match }
    }
    return best
  }

  /// Whether the recipient does not want a category on a channel.
  public func optsOut(of category: ByteView, _ channel: Channel) -> Bool {
    wish(for: category, on: channel)?.setting == .off
  }

  private static func word(of bytes: ByteView, at index: Int) -> UInt64 {
    (0..<8).reduce(UInt64(0)) { $0 | UInt64(bytes[index + $1]) << UInt64(8 * $1) }
  }

  /// The next bytes; none, and the end, where there are fewer.
  @inline(__always)
  private static func take(_ count: Int, of bytes: ByteView, _ cursor: inout Int) -> ByteView {
    guard let start = bytes.start, count <= bytes.count &- cursor else {
      cursor = bytes.count
      return .empty
    }
    let taken = ByteView(start: start + cursor, count: count)
    cursor &+= count
    return taken
  }

  /// The text at the cursor, which moves behind it; to the end of the bytes where they are no such text.
  @inline(__always)
  private static func text(of bytes: ByteView, _ cursor: inout Int) -> ByteView {
    guard let length = number(of: bytes, &cursor),
      length <= UInt64(truncatingIfNeeded: bytes.count &- cursor)
    else {
      cursor = bytes.count
      return .empty
    }
    return take(Int(truncatingIfNeeded: length), of: bytes, &cursor)
  }

  /// The LEB128 number at the cursor, which moves behind it; nil, and to the end, where there is none.
  @inline(__always)
  private static func number(of bytes: ByteView, _ cursor: inout Int) -> UInt64? {
    // Most are below 128.
    if let start = bytes.start, cursor < bytes.count, start[cursor] < 0x80 {
      let value = start[cursor]
      cursor &+= 1
      return UInt64(value)
    }
    return longNumber(of: bytes, &cursor)
  }

  private static func longNumber(of bytes: ByteView, _ cursor: inout Int) -> UInt64? {
    var value: UInt64 = 0
    var shift: UInt64 = 0
    while cursor < bytes.count, shift < 63 {
      let byte = bytes[cursor]
      cursor += 1
      value |= UInt64(byte & 0x7F) << shift
      shift += 7
      if byte & 0x80 == 0 { return value }
    }
    cursor = bytes.count
    return nil
  }
}
