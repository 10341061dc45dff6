extension OutputBuffer {
  /// Appends a recipient's record as JSON, the value of a record of the recipients topic.
  public mutating func append(recipient record: RecipientRecord) {
    append("{\"optOut\":[")
    for (index, entry) in record.optOut.enumerated() {
      append(index == 0 ? "{\"category\":" : ",{\"category\":")
      append(jsonString: entry.category ?? "*")
      append(comma: "channel", literal: entry.channel?.literal ?? "*")
      append("}")
    }
    append("]")
    for (name, text) in [("email", record.email), ("locale", record.locale), ("timeZone", record.timeZone)] {
      guard let text else { continue }
      append(",")
      append(jsonString: name)
      append(":")
      append(jsonString: text)
    }
    if !record.preferences.isEmpty { append(preferences: record.preferences) }
    if let quietHours = record.quietHours { append(quietHours: quietHours) }
    if !record.mutes.isEmpty { append(mutes: record.mutes) }
    append("}")
  }

  /// An object of categories, each in the place of its first mention, with an object of channels.
  private mutating func append(preferences: [Preference]) {
    var order: [String] = []
    var settings: [String: [Preference]] = [:]
    for preference in preferences {
      let category = preference.category ?? "*"
      if settings[category] == nil { order.append(category) }
      settings[category, default: []].append(preference)
    }
    append(",\"preferences\":{")
    for (index, category) in order.enumerated() {
      if index > 0 { append(",") }
      append(jsonString: category)
      for (number, preference) in (settings[category] ?? []).enumerated() {
        append(number == 0 ? ":{\"" : ",\"")
        append(preference.channel?.literal ?? "*")
        append("\":\"")
        append(preference.setting.literal)
        append("\"")
      }
      append("}")
    }
    append("}")
  }

  private mutating func append(quietHours: QuietHours) {
    append(",\"quietHours\":[")
    for (index, interval) in quietHours.intervals.enumerated() {
      append(index == 0 ? "{\"weekdays\":[" : ",{\"weekdays\":[")
      for (number, day) in interval.weekdays.days.enumerated() {
        if number > 0 { append(",") }
        append(jsonString: day.name)
      }
      append("]")
      if !interval.isWholeDay {
        append(",\"from\":")
        append(jsonString: interval.from.description)
        append(",\"until\":")
        append(jsonString: interval.until.description)
      }
      append("}")
    }
    append("]")
  }

  private mutating func append(mutes: [Mute]) {
    append(",\"mutes\":[")
    for (index, mute) in mutes.enumerated() {
      append(index == 0 ? "{\"subject\":" : ",{\"subject\":")
      append(jsonString: mute.subject)
      if let until = mute.until {
        append(",\"until\":")
        append(jsonTime: until)
      }
      append("}")
    }
    append("]")
  }
}
