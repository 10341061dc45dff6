import Contract
import MarkedYAML
import Policy
import SeededTesting
import Testing

@Suite("A mistake in a schedule or in quiet hours")
struct ScheduleProblemTests {
  private func schedule(_ yaml: String) throws -> (value: Schedule?, problems: [String]) {
    let document = try YAMLDocument(yaml: "schedule: \(yaml)", file: "c.yaml")
    let value = document.root?.mapping()?["schedule"].flatMap(Schedule.init(reading:))
    return (value, document.problems.map(\.description))
  }

  private func quietHours(_ yaml: String) throws -> (value: QuietHours?, problems: [String]) {
    let document = try YAMLDocument(yaml: "quietHours: \(yaml)", file: "c.yaml")
    let value = document.root?.mapping()?["quietHours"].flatMap(QuietHours.init(reading:))
    return (value, document.problems.map(\.description))
  }

  @Test(
    "what is right is read",
    arguments: [
      ("hourly", "hourly"), ("daily", "every day at 09:00"), ("weekly", "mon at 09:00"),
      ("{ at: \"07:05\" }", "every day at 07:05"), ("{ at: 07:05 }", "every day at 07:05"),
      ("{ weekdays: [fri, mon], at: [\"17:30\", '09:00'] }", "mon, fri at 09:00, 17:30"),
      ("{ weekdays: sun, at: [00:00] }", "sun at 00:00"),
    ])
  func right(yaml: String, description: String) throws {
    let (value, problems) = try schedule(yaml)
    #expect(value?.description == description && problems == [])
  }

  @Test(
    "of a schedule is reported with its place and the way out",
    arguments: [
      (
        "dialy",
        #"c.yaml:1:11: schedule: must be hourly or daily or weekly, but is "dialy" (did you mean "daily"?)"#
      ),
      (
        "",
        #"c.yaml:1:10: schedule: is empty; write hourly, daily or weekly, or times such as "#
          + #"{ weekdays: [mon, fri], at: ["09:00"] }"#
      ),
      (
        "[mon]", #"c.yaml:1:11: schedule: must be a mapping ("key: value" lines), but is a list"#
      ),
      ("{ weekdays: [mon] }", #"c.yaml:1:11: schedule: lacks the key "at""#),
      (
        "{ weekday: [mon], at: 09:00 }",
        #"c.yaml:1:13: schedule.weekday: is not a known key (did you mean "weekdays"?)"#
      ),
      (
        "{ at: [] }", #"c.yaml:1:17: schedule.at: names no time; write at least one, such as ["09:00"]"#
      ),
      (
        "{ weekdays: [], at: 09:00 }",
        "c.yaml:1:23: schedule.weekdays: names no day; write some of mon, tue, wed, thu, fri, sat, sun, "
          + "or remove the key for every day"
      ),
      (
        "{ at: [09:00, 17:00, 09:00] }",
        "c.yaml:1:32: schedule.at.2: is given more than once; keep one of them"
      ),
      (
        "{ weekdays: [mon, mon], at: 09:00 }",
        "c.yaml:1:29: schedule.weekdays.1: is given more than once; keep one of them"
      ),
      (
        "{ at: [24:00] }",
        "c.yaml:1:18: schedule.at.0: is no time of a day: the midnight with which the next day begins is 00:00 "
          + #"(did you mean "00:00"?)"#
      ),
      (
        "{ weekdays: [Monday], at: 09:00 }",
        #"c.yaml:1:24: schedule.weekdays.0: must be one of mon, tue, wed, thu, fri, sat, sun, but is "Monday" "#
          + #"(did you mean "mon"?)"#
      ),
    ])
  func wrongSchedule(yaml: String, problem: String) throws {
    let (value, problems) = try schedule(yaml)
    // An unknown key is reported, and the rest is read for further mistakes.
    #expect((value == nil || problem.contains("not a known key")) && problems == [problem])
  }

  @Test(
    "the time that was meant is asked for",
    arguments: [
      ("9:00", "09:00"), ("9", "09:00"), ("9am", "09:00"), ("12am", "00:00"), ("12 PM", "12:00"),
      ("5:30pm", "17:30"), ("17.30", "17:30"), ("17:30:00", "17:30"), ("7:5", "07:05"), ("24", "00:00"),
      ("25:00", nil), ("13pm", nil), ("noon", nil), ("17:30:15", nil), ("-9:00", nil), ("09:60", nil),
    ])
  func meant(text: String, suggestion: String?) throws {
    let (value, problems) = try schedule("{ at: [\"\(text)\"] }")
    #expect(value == nil && problems.count == 1)
    let question = suggestion.map { " (did you mean \"\($0)\"?)" } ?? ""
    #expect(
      problems.first
        == "c.yaml:1:18: schedule.at.0: must be a time from 00:00 to 23:59 as HH:MM, but is \"\(text)\"\(question)"
    )
  }

  @Test(
    "the day that was meant is asked for",
    arguments: [("MON", "mon"), ("tues", "tue"), ("wendesday", "wed"), ("th", "thu"), ("sta", "sat")])
  func meantDay(text: String, suggestion: String) throws {
    let (_, problems) = try schedule("{ weekdays: [\(text)], at: 09:00 }")
    #expect(problems.first?.hasSuffix("(did you mean \"\(suggestion)\"?)") == true, "\(problems)")
  }

  @Test("more times than there may be are refused with the number")
  func tooMany() throws {
    let times = (0..<17).map { "\"\($0 < 10 ? "0" : "")\($0):00\"" }.joined(separator: ", ")
    let (value, problems) = try schedule("{ at: [\(times)] }")
    #expect(value == nil)
    #expect(
      problems == [
        "c.yaml:1:17: schedule.at: names 17 times; at most 16 are allowed; every full hour is `hourly`"
      ])
  }

  @Test("every mistake is reported, not only the first")
  func all() throws {
    let (value, problems) = try schedule("{ weekdays: [mon, xxx, mon], at: [9, 24:00], zone: UTC }")
    #expect(value == nil && problems.count == 5)
  }

  @Test(
    "quiet hours that are right are read",
    arguments: [
      ("{ from: 22:00, until: 07:00 }", ["every day 22:00 to 07:00"]),
      ("{ weekdays: [sat, sun] }", ["sat, sun, all day"]),
      (
        "[{ weekdays: [mon], from: 22:00, until: 00:00 }, { weekdays: tue }]",
        ["mon 22:00 to 00:00", "tue, all day"]
      ),
    ])
  func rightHours(yaml: String, intervals: [String]) throws {
    let (value, problems) = try quietHours(yaml)
    #expect(problems == [])
    #expect(Set(value?.intervals.map(\.description) ?? []) == Set(intervals))
  }

  @Test(
    "of quiet hours is reported with its place and the way out",
    arguments: [
      (
        "[]",
        #"c.yaml:1:13: quietHours: is empty; remove the key, or write hours such as "#
          + #"{ from: "22:00", until: "07:00" }"#
      ),
      ("night", #"c.yaml:1:13: quietHours: must be a mapping ("key: value" lines), but is the text "night""#),
      ("{ from: 22:00 }", #"c.yaml:1:13: quietHours: lacks the key "until""#),
      ("{ until: 22:00 }", #"c.yaml:1:13: quietHours: lacks the key "from""#),
      (
        "{ from: 22:00, until: 24:00 }",
        "c.yaml:1:35: quietHours.until: is no time of a day: the midnight with which the next day begins is "
          + #"00:00 (did you mean "00:00"?)"#
      ),
      (
        "{ from: 22:00, until: 22:00 }",
        "c.yaml:1:35: quietHours.until: is the time with which the interval begins; for whole days remove "
          + "both `from:` and `until:`"
      ),
      (
        "[{ from: 22:00, until: 07:00 }, { weekdays: [sun], from: 06:59, until: 08:00 }]",
        #"c.yaml:1:45: quietHours.1: overlaps "every day 22:00 to 07:00"; make one of the two shorter"#
      ),
      (
        "[{ weekdays: [sun], from: 23:00, until: 01:00 }, { weekdays: [mon] }]",
        #"c.yaml:1:62: quietHours.1: overlaps "sun 23:00 to 01:00"; make one of the two shorter"#
      ),
      (
        "{ weekdays: [mon, tue, wed, thu, fri, sat, sun] }",
        "c.yaml:1:13: quietHours: leaves no time of the week in which anything could be sent; switch the channel "
          + "off instead"
      ),
    ])
  func wrongHours(yaml: String, problem: String) throws {
    let (value, problems) = try quietHours(yaml)
    #expect(value == nil && problems == [problem])
  }

  @Test("an interval without anything in it says what it needs")
  func emptyInterval() throws {
    let (value, problems) = try quietHours("[{ from: 22:00, until: 07:00 }, {}]")
    #expect(value == nil)
    #expect(
      problems == [
        "c.yaml:1:45: quietHours.1: has neither days nor times; write `from:` and `until:`, or `weekdays:` for "
          + "whole days"
      ])
  }

  @Test("whatever is damaged, it is read or refused with a problem")
  func damage() throws {
    var random = SeededGenerator.printed()
    let pieces = [
      "{", "}", "[", "]", ": ", ", ", "09:00", "24:00", "mon", "~", "-1", "at", "from", "\"", "é",
    ]
    let whole = "{ weekdays: [mon, tue], at: [09:00, 17:30] }"
    let hours = "[{ weekdays: [mon, tue], from: 22:00, until: 07:00 }, { weekdays: sat }]"
    var (read, refused) = (0, 0)
    for round in 0..<2_000 {
      for text in [whole, hours] {
        var characters = Array(text)
        for _ in 0..<Int.random(in: 1...2, using: &random) {
          let start = Int.random(in: 0...characters.count, using: &random)
          let end = min(characters.count, start + Int.random(in: 0...6, using: &random))
          characters.replaceSubrange(start..<end, with: Array(pieces.randomElement(using: &random) ?? ""))
        }
        guard let document = try? YAMLDocument(yaml: String(characters), file: "c.yaml") else { continue }
        guard let root = document.root else { continue }
        let isRead = text == whole ? Schedule(reading: root) != nil : QuietHours(reading: root) != nil
        if isRead { read += 1 } else { refused += 1 }
        #expect(isRead || !document.problems.isEmpty, "\(random), round \(round): \(String(characters))")
      }
    }
    #expect(read > 20 && refused > 100, "\(random)")
  }
}
