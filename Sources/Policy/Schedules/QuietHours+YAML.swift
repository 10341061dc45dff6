import Contract
import MarkedYAML

extension QuietHours {
  /// Reads the value of a `quietHours` key: an interval `{ weekdays, from, until }`, or a list of them. Without
  /// `weekdays` it is one of every day; without `from` and `until`, of whole days. What is wrong is reported to the
  /// document, and nil returned.
  ///
  /// Intervals that overlap are refused here: in a file that people write, one of the two is a mistake.
  public init?(reading value: YAMLValue) {
    guard !value.isEmpty else {
      value.report("is empty; remove the key, or write hours such as { from: \"22:00\", until: \"07:00\" }")
      return nil
    }
    let elements = value.elementsOrSelf()
    guard elements.count <= QuietHours.maxIntervals else {
      value.report("lists \(elements.count) intervals; at most \(QuietHours.maxIntervals) are allowed")
      return nil
    }
    var intervals: [QuietInterval] = []
    var isRead = true
    for element in elements {
      guard let interval = QuietInterval(reading: element) else {
        isRead = false
        continue
      }
      if let other = intervals.first(where: interval.overlaps) {
        element.report("overlaps \"\(other)\"; make one of the two shorter")
        isRead = false
      }
      intervals.append(interval)
    }
    guard isRead else { return nil }
    guard let hours = QuietHours(intervals) else {
      value.report(
        "leaves no time of the week in which anything could be sent; switch the channel off instead")
      return nil
    }
    self = hours
  }
}

extension QuietInterval {
  /// Reads one interval. What is wrong is reported to the document, and nil returned.
  fileprivate init?(reading value: YAMLValue) {
    guard let mapping = value.mapping(keys: ["weekdays", "from", "until"]) else { return nil }
    let weekdays = Weekdays(readingOptional: mapping["weekdays"])
    if mapping["from"] == nil, mapping["until"] == nil {
      guard mapping["weekdays"] != nil else {
        value.report("has neither days nor times; write `from:` and `until:`, or `weekdays:` for whole days")
        return nil
      }
      guard let weekdays else { return nil }
      self.init(wholeDays: weekdays)
      return
    }
    let from = mapping.required("from").flatMap(LocalTime.init(reading:))
    let until = mapping.required("until").flatMap(LocalTime.init(reading:))
    guard let from, let until, let weekdays else { return nil }
    guard from != until else {
      mapping["until"]?.report(
        "is the time with which the interval begins; for whole days remove both `from:` and `until:`")
      return nil
    }
    self.init(weekdays: weekdays, from: from, until: until)
  }

  /// Whether a minute of the week lies in both.
  func overlaps(_ other: QuietInterval) -> Bool {
    let week: Int64 = 7 * 86_400
    for day in weekdays.days {
      let begin = Int64(day.rawValue) * 86_400 + Int64(from.minute) * 60
      for otherDay in other.weekdays.days {
        let otherBegin = Int64(otherDay.rawValue) * 86_400 + Int64(other.from.minute) * 60
        // How long after the one the other begins, and the one after the other, around the week.
        let distance = (otherBegin - begin + week) % week
        if distance < length || (week - distance) % week < other.length { return true }
      }
    }
    return false
  }
}
