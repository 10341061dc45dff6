import Contract
import MarkedYAML

extension TenantDefaults {
  private static let keys = ["locale", "timeZone", "preferences", "quietHours"]

  /// Reads the defaults of one tenant. What is wrong is reported to the document; what is returned is to be used only
  /// if the document has no problem.
  init?(reading value: YAMLValue) {
    guard !value.isEmpty else {
      value.report("says nothing; remove the tenant, or give one of \(Self.keys.joined(separator: ", "))")
      return nil
    }
    guard let mapping = value.mapping(keys: Self.keys) else { return nil }
    self.init()
    locale = mapping["locale"].flatMap { Self.text($0) }
    timeZone = mapping["timeZone"].flatMap { Self.zoneName($0) }
    if let value = mapping["preferences"] { preferences = Self.preferences(value) }
    quietHours = mapping["quietHours"].flatMap { QuietHours(reading: $0) }
  }

  private static func text(_ value: YAMLValue) -> String? {
    guard let text = value.text() else { return nil }
    guard (1...RecipientRecord.maxTextBytes).contains(text.utf8.count) else {
      value.report("must have 1 to \(RecipientRecord.maxTextBytes) bytes, but has \(text.utf8.count)")
      return nil
    }
    return text
  }

  private static func zoneName(_ value: YAMLValue) -> String? {
    guard let name = text(value) else { return nil }
    guard ZoneDatabase.system.zone(named: name) != nil else {
      value.report(
        "is \"\(name)\", which is no time zone of the IANA database of this system",
        suggestion: ZoneDatabase.suggestion(for: name))
      return nil
    }
    return name
  }

  /// By category, then by channel, as in a recipient's record.
  private static func preferences(_ value: YAMLValue) -> [Preference] {
    guard !value.isEmpty else {
      value.report("is empty; remove the key, or write what is wanted, such as { news: { email: daily } }")
      return []
    }
    var preferences: [Preference] = []
    let names = Channel.allCases.map(\.name) + ["*"]
    for category in value.mapping()?.entries ?? [] {
      guard isName(category.key, of: category.keyValue, what: "a category") else { continue }
      guard !category.value.isEmpty else {
        category.value.report("names no channel; give at least one of \(names.joined(separator: ", "))")
        continue
      }
      for channel in category.value.mapping(keys: names)?.entries ?? [] {
        guard let setting = channel.value.choice(named: { (setting: Preference.Setting) in setting.name })
        else { continue }
        preferences.append(
          Preference(
            category: category.key == "*" ? nil : category.key, channel: Channel(name: channel.key), setting))
      }
    }
    if preferences.count > maxPreferences {
      value.report("has \(preferences.count) settings; at most \(maxPreferences) are allowed")
    }
    return preferences
  }
}
