/// What a record says of the recipient's wishes besides opt-outs. A text of the record that a sentence repeats is cut
/// to 60 characters there.
extension RecipientDecoder {
  // MARK: - Preferences

  /// An object of categories, each an object of channels with a setting. A category that no catalog knows is taken:
  /// one may know it tomorrow.
  static func preferences(_ root: JSONValue) throws(Rejection) -> [Preference] {
    guard let object = root["preferences"], object.kind != .null else { return [] }
    guard object.kind == .object else {
      throw Rejection(.invalidAttribute, "\"preferences\" is not an object of categories.")
    }
    var preferences: [Preference] = []
    var categories: Set<String> = []
    for member in object.members {
      let category = member.nameText
      let place = "\"preferences\" of \"\(category.prefix(60))\""
      guard !category.isEmpty else {
        throw Rejection(
          .emptyAttribute, "\"preferences\" holds an empty category; \"*\" stands for all.")
      }
      guard categories.insert(category).inserted else {
        throw Rejection(.duplicateAttribute, "\(place) are given twice.")
      }
      guard member.value.kind == .object else {
        throw Rejection(
          .invalidAttribute, "\(place) are not an object of channels, such as {\"email\":\"daily\"}.")
      }
      try append(member.value, of: category, place, to: &preferences)
    }
    return preferences
  }

  private static func append(
    _ channels: JSONValue, of category: String, _ place: String, to preferences: inout [Preference]
  ) throws(Rejection) {
    let first = preferences.count
    for member in channels.members {
      let name = member.nameText
      let channel = Channel(name: name)
      guard channel != nil || name == "*" else {
        throw Rejection(
          .invalidAttribute,
          "\(place) name the channel \"\(name.prefix(60))\"; \"email\", \"inapp\" or \"*\" is allowed.")
      }
      guard !preferences[first...].contains(where: { $0.channel == channel }) else {
        throw Rejection(.duplicateAttribute, "\(place) name the channel \"\(name)\" twice.")
      }
      guard member.value.kind == .string, let setting = Preference.Setting(name: member.value.string) else {
        throw Rejection(
          .invalidAttribute,
          "\(place) on \"\(name)\" are \(member.value.raw.string.prefix(60)); \"on\", \"off\", \"instant\", "
            + "\"hourly\", \"daily\" or \"weekly\" is allowed.")
      }
      guard preferences.count < RecipientRecord.maxPreferences else {
        throw Rejection(
          .invalidAttribute, "\"preferences\" has more than \(RecipientRecord.maxPreferences) settings.")
      }
      preferences.append(Preference(category: category == "*" ? nil : category, channel: channel, setting))
    }
  }

  // MARK: - Quiet hours

  /// An interval, or an array of them; those that overlap add up.
  static func quietHours(_ root: JSONValue) throws(Rejection) -> QuietHours? {
    guard let value = root["quietHours"], value.kind != .null else { return nil }
    var intervals: [QuietInterval] = []
    switch value.kind {
    case .object: intervals.append(try interval(value))
    case .array:
      for element in value.elements {
        guard element.kind == .object else {
          throw Rejection(.invalidAttribute, "An interval of \"quietHours\" is not an object.")
        }
        guard intervals.count < QuietHours.maxIntervals else {
          throw Rejection(
            .invalidAttribute, "\"quietHours\" has more than \(QuietHours.maxIntervals) intervals.")
        }
        intervals.append(try interval(element))
      }
    default:
      throw Rejection(
        .invalidAttribute,
        "\"quietHours\" is neither an interval, such as {\"from\":\"22:00\",\"until\":\"07:00\"}, nor an array."
      )
    }
    guard let hours = QuietHours(intervals) else {
      throw Rejection(
        .invalidAttribute,
        "\"quietHours\" leaves no minute of the week; switch what is not wanted off in \"preferences\".")
    }
    return hours
  }

  private static func interval(_ value: JSONValue) throws(Rejection) -> QuietInterval {
    let weekdays = try weekdays(value)
    let (from, until) = (try time(value, "from"), try time(value, "until"))
    guard from != nil || until != nil else {
      guard let weekdays, let interval = QuietInterval(wholeDays: weekdays) else {
        throw Rejection(
          .missingAttribute,
          "An interval of \"quietHours\" has neither \"from\" and \"until\" nor \"weekdays\".")
      }
      return interval
    }
    guard let from, let until else {
      throw Rejection(
        .missingAttribute,
        "An interval of \"quietHours\" has \"\(from == nil ? "until" : "from")\" alone; give both.")
    }
    guard from != until,
      let interval = QuietInterval(weekdays: weekdays ?? .everyDay, from: from, until: until)
    else {
      throw Rejection(
        .invalidAttribute,
        "\"from\" and \"until\" of an interval of \"quietHours\" are both \(from); leave both out for whole days."
      )
    }
    return interval
  }

  /// Nil where the field is absent.
  private static func weekdays(_ interval: JSONValue) throws(Rejection) -> Weekdays? {
    guard let list = interval["weekdays"], list.kind != .null else { return nil }
    guard list.kind == .array else {
      throw Rejection(.invalidAttribute, "\"weekdays\" in \"quietHours\" is not an array.")
    }
    var days: Weekdays = []
    for element in list.elements {
      guard element.kind == .string, let day = Weekday(name: element.string) else {
        throw Rejection(
          .invalidAttribute,
          "\"weekdays\" in \"quietHours\" holds \(element.raw.string.prefix(60)); "
            + "\"mon\", \"tue\", \"wed\", \"thu\", \"fri\", \"sat\" and \"sun\" are allowed.")
      }
      days.insert(Weekdays([day]))
    }
    guard !days.isEmpty else {
      throw Rejection(
        .emptyAttribute, "\"weekdays\" in \"quietHours\" is empty; leave it out for every day.")
    }
    return days
  }

  private static func time(_ interval: JSONValue, _ name: StaticString) throws(Rejection) -> LocalTime? {
    guard let text = try interval.optionalText(name) else { return nil }
    guard let time = LocalTime(text) else {
      throw Rejection(
        .invalidAttribute,
        "\"\(name)\" in \"quietHours\" is \"\(text.prefix(60))\", which is no time from 00:00 to 23:59.")
    }
    return time
  }

  // MARK: - Mutes

  static func mutes(_ root: JSONValue) throws(Rejection) -> [Mute] {
    guard let list = root["mutes"], list.kind != .null else { return [] }
    guard list.kind == .array else { throw Rejection(.invalidAttribute, "\"mutes\" is not an array.") }
    var mutes: [Mute] = []
    for element in list.elements {
      guard element.kind == .object else {
        throw Rejection(.invalidAttribute, "An entry of \"mutes\" is not an object.")
      }
      let subject = try element.requiredText("subject")
      guard !subject.isEmpty else {
        throw Rejection(.emptyAttribute, "\"subject\" in \"mutes\" is empty.")
      }
      guard mutes.count < RecipientRecord.maxMutes else {
        throw Rejection(.invalidAttribute, "\"mutes\" has more than \(RecipientRecord.maxMutes) entries.")
      }
      mutes.append(Mute(subject: subject, until: try until(element)))
    }
    return mutes
  }

  private static func until(_ mute: JSONValue) throws(Rejection) -> Int64? {
    guard let text = try mute.optionalText("until") else { return nil }
    guard let instant = text.withByteView({ RFC3339.milliseconds(of: $0) }) else {
      throw Rejection(
        .invalidAttribute,
        "\"until\" in \"mutes\" is \"\(text.prefix(60))\", which is no RFC 3339 time; leave it out for a mute "
          + "without an end.")
    }
    return instant
  }
}
