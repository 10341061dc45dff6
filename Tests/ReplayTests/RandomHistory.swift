import Contract
import SeededTesting

/// A random history of lines: repeats, lists of recipients, times that go back, events that expire, broken lines.
struct RandomHistory {
  /// Of whole and of broken hours, with and without summer, north and south, around midnight; and two that are none.
  static let zones = [
    "Europe/Berlin", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe", "America/Havana",
    "Asia/Beirut",
    "Pacific/Chatham", "Asia/Kathmandu", "Pacific/Kiritimati", "Mars/Phobos", "PST",
  ]

  /// Two days before the clocks go forward or back in some of these zones, in seconds.
  private static let starts: [Int64] = [
    1_601_035_200, 1_601_640_000, 1_603_454_400, 1_604_059_200, 1_615_550_400, 1_616_760_000, 1_617_364_800,
  ]

  private(set) var lines: [String] = []
  private(set) var recipientLines: [String] = []
  private(set) var recipients: [String: NaiveReplay.Recipient] = [:]

  init(events: Int, using generator: inout SeededGenerator) {
    var now = 1_000 * (Self.starts.randomElement(using: &generator) ?? 0)
    for number in 0..<events {
      now += Int64.random(in: 0..<(number % 10 == 0 ? 100_000_000 : 5_000_000), using: &generator)
      // On the hour, so that events come at the very end of a window.
      if Bool.random(using: &generator) { now -= now % 3_600_000 }
      // One event at least has a time: others would be refused as a history without any.
      let isLast = number == events - 1
      lines.append(Self.line(number: number, now: now, isSound: isLast, using: &generator))
    }
    for number in 0..<8 where Int.random(in: 0..<4, using: &generator) > 0 {
      add(recipient: number, until: now, using: &generator)
    }
  }

  /// - Parameter isSound: whether the line has to keep the contract and to have a time.
  private static func line(
    number: Int, now: Int64, isSound: Bool, using generator: inout SeededGenerator
  ) -> String {
    func chance(_ share: Int) -> Bool { Int.random(in: 0..<share, using: &generator) == 0 }
    if !isSound, chance(20) {
      return ["broken", "{}", #"{"specversion":"1.0","id":""}"#].randomElement(using: &generator) ?? ""
    }
    let id = chance(3) ? Int.random(in: 0...number, using: &generator) : number
    let type = chance(6) ? "unknown" : RandomCatalog.typeNames[id % RandomCatalog.typeNames.count]
    let time = chance(8) ? now - Int64.random(in: 0..<100_000_000, using: &generator) : now
    var line = "{\"specversion\":\"1.0\",\"id\":\"\(id)\",\"source\":\"/test\",\"type\":\"\(type)\""
    if isSound || !chance(15) { line += ",\"time\":\"\(text(time))\"" }
    if chance(3) { line += ",\"tenant\":\"acme\"" }
    if chance(4) { line += ",\"category\":\"own\"" }
    if chance(6) {
      line += ",\"retracts\":\"\(Int.random(in: max(0, number - 6)...number + 2, using: &generator))\""
    }
    if chance(4) { line += ",\"collapsekey\":\"k\(Int.random(in: 0..<2, using: &generator))\"" }
    if chance(5) {
      line +=
        ",\"expirytime\":\"\(text(now + Int64.random(in: -1_000_000..<90_000_000, using: &generator)))\""
    }
    if chance(2) {
      let names = (0..<Int.random(in: 1...6, using: &generator)).map { _ in
        "user\(Int.random(in: 0..<8, using: &generator))"
      }
      line += ",\"recipients\":\"\(names.joined(separator: ","))\""
    } else {
      line += ",\"recipient\":\"user\(Int.random(in: 0..<8, using: &generator))\""
    }
    if chance(3) { line += ",\"subject\":\"board/\(Int.random(in: 0..<3, using: &generator))\"" }
    if chance(6) { line += ",\"priority\":\"\(chance(2) ? "critical" : "normal")\"" }
    let actor = chance(3) ? "user\(Int.random(in: 0..<8, using: &generator))" : "bob"
    return line + ",\"actor\":\"\(actor)\",\"data\":\(data(number, using: &generator))}"
  }

  /// Data with the fields of keys: of several kinds, and sometimes none.
  private static func data(_ number: Int, using generator: inout SeededGenerator) -> String {
    let values = ["1", "2", "\"1\"", "\"\"", "null", "[1]"]
    let pick = { (generator: inout SeededGenerator) in values.randomElement(using: &generator) ?? "1" }
    var fields = ["\"n\":\(number)"]
    if Bool.random(using: &generator) { fields.append("\"board\":{\"id\":\(pick(&generator))}") }
    if Bool.random(using: &generator) {
      fields.append("\"tags\":[\(pick(&generator)),\(pick(&generator))]")
    }
    if Bool.random(using: &generator) { fields.append("\"a/b\":\(pick(&generator))") }
    return "{\(fields.joined(separator: ","))}"
  }

  /// - Parameter end: the last event's time, about; mutes end before or behind it.
  private mutating func add(recipient number: Int, until end: Int64, using generator: inout SeededGenerator) {
    let tenant = Bool.random(using: &generator) ? "acme" : "default"
    var recipient = NaiveReplay.Recipient()
    var line = "{\"recipient\":\"user\(number)\",\"tenant\":\"\(tenant)\""
    if Bool.random(using: &generator) {
      recipient.email = "user\(number)@example.org"
      line += ",\"email\":\"user\(number)@example.org\""
    }
    if Int.random(in: 0..<3, using: &generator) > 0, let zone = Self.zones.randomElement(using: &generator) {
      recipient.timeZone = zone
      line += ",\"timeZone\":\"\(zone)\""
    }
    if Bool.random(using: &generator) {
      let category = ["*", "cards", "own"].randomElement(using: &generator) ?? "*"
      let channel = ["*", "email", "inapp"].randomElement(using: &generator) ?? "*"
      recipient.optOut = [(category, channel)]
      line += ",\"optOut\":[{\"category\":\"\(category)\",\"channel\":\"\(channel)\"}]"
    }
    if Bool.random(using: &generator) {
      line += Self.preferences(&recipient, using: &generator)
    }
    if Bool.random(using: &generator) {
      let subject = "board/\(Int.random(in: 0..<3, using: &generator))"
      let until =
        Bool.random(using: &generator) ? nil : end - Int64.random(in: -1_000...900_000_000, using: &generator)
      recipient.mutes[subject] = until ?? .max
      line +=
        ",\"mutes\":[{\"subject\":\"\(subject)\"\(until.map { ",\"until\":\"\(Self.text($0))\"" } ?? "")}]"
    }
    if Bool.random(using: &generator) {
      line += Self.quietHours(&recipient, using: &generator)
    }
    recipientLines.append(line + "}")
    recipients["\(tenant)/user\(number)"] = recipient
  }

  /// Often at night, when the clocks change.
  private static func quietHours(
    _ recipient: inout NaiveReplay.Recipient, using generator: inout SeededGenerator
  ) -> String {
    let names = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
    let clock = { (minute: Int64) in
      "\"\(minute < 600 ? "0" : "")\(minute / 60):\(minute % 60 < 10 ? "0" : "")\(minute % 60)\""
    }
    recipient.quietHours = []
    let intervals = (0..<Int.random(in: 0...3, using: &generator)).map { _ in
      let days = Set((0..<7).shuffled(using: &generator).prefix(Int.random(in: 1...4, using: &generator)))
      let from = 15 * Int64.random(in: 0..<96, using: &generator)
      let until = (from + Int64.random(in: 1...600, using: &generator)) % 1440
      recipient.quietHours?.append((days, from, until))
      let list = days.map { "\"\(names[$0])\"" }.joined(separator: ",")
      return "{\"weekdays\":[\(list)],\"from\":\(clock(from)),\"until\":\(clock(until))}"
    }
    return ",\"quietHours\":[\(intervals.joined(separator: ","))]"
  }

  private static func preferences(
    _ recipient: inout NaiveReplay.Recipient, using generator: inout SeededGenerator
  ) -> String {
    let settings = ["on", "off", "instant", "hourly", "daily", "weekly"]
    for category in ["*", "cards", "builds", "own"] where Bool.random(using: &generator) {
      for channel in ["*", "email", "inapp"] where Bool.random(using: &generator) {
        recipient.preferences[category, default: [:]][channel] = settings.randomElement(using: &generator)
      }
    }
    let categories = recipient.preferences.map { category, channels in
      "\"\(category)\":{\(channels.map { "\"\($0)\":\"\($1)\"" }.joined(separator: ","))}"
    }
    return ",\"preferences\":{\(categories.joined(separator: ","))}"
  }

  private static func text(_ milliseconds: Int64) -> String {
    var buffer = OutputBuffer()
    buffer.append(jsonTime: milliseconds)
    return String(buffer.view.string.dropFirst().dropLast())
  }
}
