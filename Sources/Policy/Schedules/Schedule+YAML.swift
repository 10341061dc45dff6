import Contract
import MarkedYAML

extension Schedule {
  /// Reads the value of a `schedule` key: `hourly`, `daily`, `weekly`, or a mapping with `at` and, unless every day
  /// is meant, `weekdays`. What is wrong is reported to the document; what is returned counts only if it has
  /// no problems.
  public init?(reading value: YAMLValue) {
    guard !value.isEmpty else {
      value.report(
        "is empty; write hourly, daily or weekly, or times such as { weekdays: [mon, fri], at: [\"09:00\"] }")
      return nil
    }
    if value.isText {
      self.init(readingCadence: value)
      return
    }
    guard let mapping = value.mapping(keys: ["weekdays", "at"]) else { return nil }
    self.init(readingTimesOf: mapping)
  }

  /// Reads the schedule whose keys stand among others of a mapping: `cadence`, or `at` and, unless every day is meant,
  /// `weekdays`. What is wrong is reported to the document; what is returned counts only if it has no problems.
  init?(readingKeysOf mapping: YAMLMapping) {
    guard let cadence = mapping["cadence"] else {
      guard mapping["at"] != nil else {
        mapping.value.report(
          "has no times: add `cadence:` (hourly, daily or weekly), or `at:` with times such as [\"09:00\"]")
        return nil
      }
      self.init(readingTimesOf: mapping)
      return
    }
    for key in ["at", "weekdays"] {
      mapping[key]?.report(
        "has no meaning beside `cadence`, which has times of its own; remove one of the two")
    }
    self.init(readingCadence: cadence)
  }

  private init?(readingCadence value: YAMLValue) {
    let presets = Cadence.allCases.compactMap { cadence in
      cadence.schedule.map { (name: cadence.name, choice: $0) }
    }
    guard let schedule = value.choice(among: presets) else { return nil }
    self = schedule
  }

  private init?(readingTimesOf mapping: YAMLMapping) {
    let weekdays = Weekdays(readingOptional: mapping["weekdays"])
    guard let list = mapping.required("at"), let times = Schedule.times(list), let weekdays else {
      return nil
    }
    self.init(weekdays: weekdays, at: times)
  }

  private static func times(_ value: YAMLValue) -> [LocalTime]? {
    guard !value.isEmpty else {
      value.report("names no time; write at least one, such as [\"09:00\"]")
      return nil
    }
    let elements = value.elementsOrSelf()
    guard elements.count <= maxTimes else {
      value.report(
        "names \(elements.count) times; at most \(maxTimes) are allowed; every full hour is `hourly`")
      return nil
    }
    var times: [LocalTime] = []
    for element in elements {
      guard let time = LocalTime(reading: element) else { continue }
      if times.contains(time) {
        element.report("is given more than once; keep one of them")
      } else {
        times.append(time)
      }
    }
    return times.count == elements.count ? times : nil
  }
}

extension LocalTime {
  /// Reads a time as `HH:MM`. What is wrong is reported to the document, and nil returned.
  public init?(reading value: YAMLValue) {
    guard let text = value.text() else { return nil }
    if let time = LocalTime(text) {
      self = time
      return
    }
    let meant = LocalTime.meant(by: text)
    if text == "24:00" {
      value.report(
        "is no time of a day: the midnight with which the next day begins is 00:00", suggestion: meant)
    } else {
      value.report(
        "must be a time from 00:00 to 23:59 as HH:MM, but is \"\(text.prefix(60))\"", suggestion: meant)
    }
    return nil
  }

  /// The time that a text of another form probably means: `9:00`, `9`, `9am`, `5:30 pm`, `09.00`, `09:00:00`, `24:00`.
  private static func meant(by text: String) -> String? {
    var rest = text.lowercased().filter { $0 != " " && $0 != "." || $0 == "." }
    rest = rest.replacing(".", with: ":")
    let afternoon = rest.hasSuffix("pm")
    let isHalfDay = afternoon || rest.hasSuffix("am")
    if isHalfDay { rest.removeLast(2) }
    let parts = rest.split(separator: ":", omittingEmptySubsequences: false)
    let numbers = parts.compactMap { $0.count <= 2 && !$0.isEmpty ? UInt8($0).map(Int.init) : nil }
    guard (1...3).contains(parts.count), numbers.count == parts.count, numbers.count < 3 || numbers[2] == 0
    else { return nil }
    var hour = numbers[0]
    let minute = numbers.count > 1 ? numbers[1] : 0
    if isHalfDay {
      guard (1...12).contains(hour) else { return nil }
      hour = hour % 12 + (afternoon ? 12 : 0)
    } else if hour == 24, minute == 0 {
      hour = 0
    }
    return LocalTime(hour: hour, minute: minute)?.description
  }
}

extension Weekdays {
  /// Reads the value of an optional `weekdays` key; every day where it is absent. What is wrong is reported to the
  /// document, and nil returned.
  init?(readingOptional value: YAMLValue?) {
    guard let value else {
      self = .everyDay
      return
    }
    self.init(reading: value)
  }

  /// Reads a list of days, `[mon, fri]`, or a single one. What is wrong is reported to the document, and nil returned.
  public init?(reading value: YAMLValue) {
    guard !value.isEmpty else {
      value.report("names no day; write some of \(Weekdays.names), or remove the key for every day")
      return nil
    }
    var days: Weekdays = []
    var isRead = true
    for element in value.elementsOrSelf() {
      guard let text = element.text() else {
        isRead = false
        continue
      }
      guard let day = Weekday(name: text) else {
        element.report(
          "must be one of \(Weekdays.names), but is \"\(text.prefix(60))\"",
          suggestion: Weekdays.meant(by: text))
        isRead = false
        continue
      }
      if days.contains(day) {
        element.report("is given more than once; keep one of them")
        isRead = false
      }
      days.insert(Weekdays([day]))
    }
    guard isRead else { return nil }
    self = days
  }

  private static let names = Weekday.allCases.map(\.name).joined(separator: ", ")

  /// The day that a text in other letters or longer probably means: `Monday`, `tues`, `mno`.
  private static func meant(by text: String) -> String? {
    let typed = text.lowercased()
    let full = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]
    let prefixed = zip(Weekday.allCases, full).first { typed.count >= 2 && $1.hasPrefix(typed) }
    if let prefixed { return prefixed.0.name }
    let names = Weekday.allCases.map(\.name)
    if let near = NearestName.of(typed, in: names) { return near }
    return NearestName.of(typed, in: full).map { String($0.prefix(3)) }
  }
}
