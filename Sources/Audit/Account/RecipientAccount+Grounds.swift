import Contract

extension RecipientAccount {
  /// What decided about a notification on a channel besides the version of the catalog, as the decision says it.
  ///
  /// Texts: newer processors have more of them than this program.
  public struct Grounds: Equatable, Sendable, Encodable {
    /// The entry of a record that made the difference.
    public struct Preference: Equatable, Sendable, Encodable {
      /// Whose record it is: `recipient` or `tenant`.
      public var of: String
      /// The category that the entry names; `*` for all.
      public var category: String
      /// The channel that the entry names; `*` for all.
      public var channel: String
      /// What it says: `off`, `daily`, …
      public var setting: String
      /// Whether it is an entry of `optOut`.
      public var isOptOut: Bool
    }

    /// The policy that was applied: `immediate`, `digest`, `schedule`, `throttle`, `budget`, `catchUp`, or the
    /// cadence that was chosen.
    public var policy: String?
    /// Absent where the catalog alone decided.
    public var preference: Preference?
    /// Whether quiet hours held it back.
    public var isQuiet: Bool
    /// Whose time zone is none that is known: `recipient` or `tenant`. Another one decided in its place.
    public var unknownZone: String?
  }
}

extension RecipientAccount.Grounds {
  /// Reads them from the outcome of a channel; nil where the decision names none, as older processors' do.
  init?(_ outcome: JSONValue) {
    policy = outcome["policy"]?.string
    preference = outcome["preference"].flatMap { entry in
      guard entry.kind == .object else { return nil }
      return Preference(
        of: entry["of"]?.string ?? "recipient", category: entry["category"]?.string ?? "*",
        channel: entry["channel"]?.string ?? "*", setting: entry["setting"]?.string ?? "?",
        isOptOut: entry["optOut"]?.bool ?? false)
    }
    isQuiet = outcome["quietHours"]?.bool ?? false
    unknownZone = outcome["unknownZone"]?.string
    if policy == nil, preference == nil, !isQuiet, unknownZone == nil { return nil }
  }

  /// What decided, in words; nil where there is nothing to say.
  var sentence: String? {
    var parts: [String] = []
    if let preference {
      parts.append(preference.sentence)
    } else if let policy, !["throttle", "budget", "catchUp"].contains(policy) {
      parts.append("by the catalog's policy (\(policy))")
    }
    if policy == "throttle" {
      parts.append(
        "held back by the catalog's throttle: as many of the category were delivered at once as may be")
    }
    if policy == "budget" {
      parts.append(
        "held back by the catalog's budget: as many of all types were delivered at once as may be")
    }
    if policy == "catchUp" {
      parts.append("held back by the catalog's catchUp: the event was too old to be delivered at once")
    }
    if isQuiet { parts.append("held back by quiet hours") }
    if let unknownZone {
      parts.append(
        "the time zone of \(unknownZone == "tenant" ? "the tenant's defaults" : "the recipient's record") is none, and was "
          + "passed over")
    }
    return parts.isEmpty ? nil : parts.joined(separator: ", ")
  }
}

extension RecipientAccount.Grounds.Preference {
  fileprivate var sentence: String {
    let place =
      "\(category == "*" ? "everything" : category) on \(channel == "*" ? "every channel" : channel)"
    let owner = of == "tenant" ? "the tenant's defaults" : "the recipient's record"
    return isOptOut ? "by \(owner): optOut of \(place)" : "by \(owner): \(place) is \"\(setting)\""
  }
}
