import SeededTesting

/// A random catalog, as text for the product and as values for the naive replay.
struct RandomCatalog {
  let yaml: String
  let naive: NaiveReplay

  static let typeNames = ["card.moved", "card.due", "build.failed", "invoice.paid"]
  private static let windows: [(text: String, milliseconds: Int64)] = [
    ("1m", 60_000), ("1h", 3_600_000), ("1d", 86_400_000), ("7d", 604_800_000),
  ]

  init(using generator: inout SeededGenerator) {
    var naive = NaiveReplay()
    naive.rejectsUnknownTypes = Int.random(in: 0..<3, using: &generator) == 0
    var text = "unknownTypes: \(naive.rejectsUnknownTypes ? "reject" : "deliver")\n"
    var budgets = ""
    for channel in ["email", "inapp"] where Int.random(in: 0..<3, using: &generator) == 0 {
      let count = Int.random(in: 1...4, using: &generator)
      naive.budgets[channel] = (count, 172_800_000, 7_200_000)
      budgets += "  \(channel): { limit: \(count), period: 2d, overflow: { policy: digest, window: 2h } }\n"
    }
    if !budgets.isEmpty { text += "budget:\n\(budgets)" }
    // A replay decides every event at its own instant: none is late.
    if Bool.random(using: &generator) {
      text += "catchUp: { email: { after: 1s, overflow: { policy: digest, window: 1h } } }\n"
    }
    let defaults = Self.type(isSilent: true, using: &generator)
    naive.defaults = defaults.rules
    text += "defaults:\n\(defaults.text)"
    if Int.random(in: 0..<3, using: &generator) > 0 {
      let tenant = Self.tenant(using: &generator)
      naive.tenants["acme"] = tenant.defaults
      text += "tenants:\n  acme:\n\(tenant.text)"
    }
    text += "types:\n"
    let listed = Self.typeNames.shuffled(using: &generator).prefix(Int.random(in: 1...4, using: &generator))
    for name in listed {
      let type = Self.type(isSilent: false, using: &generator)
      naive.types[name] = type.rules
      text += "  \(name):\n    title: \"{{type}}\"\n"
      text += type.text.split(separator: "\n").map { "  \($0)\n" }.joined()
    }
    yaml = text
    self.naive = naive
  }

  private static func tenant(
    using generator: inout SeededGenerator
  ) -> (text: String, defaults: NaiveReplay.Recipient) {
    var defaults = NaiveReplay.Recipient()
    let zone = ["Europe/Berlin", "America/New_York", "Pacific/Auckland"].randomElement(using: &generator)
    defaults.timeZone = zone
    var text = "    timeZone: \(zone ?? "")\n"
    if Bool.random(using: &generator) {
      // From Friday 20:00 to Saturday 09:30.
      defaults.quietHours = [([4], 1_200, 570)]
      text += "    quietHours: { weekdays: [fri], from: \"20:00\", until: \"09:30\" }\n"
    }
    let settings = ["on", "off", "instant", "hourly", "daily", "weekly"]
    var lines = ""
    for category in ["*", "cards", "own"] where Bool.random(using: &generator) {
      let setting = settings.randomElement(using: &generator) ?? "on"
      let channel = ["*", "email", "inapp"].randomElement(using: &generator) ?? "*"
      defaults.preferences[category] = [channel: setting]
      lines += "      \"\(category)\": { \"\(channel)\": \(setting) }\n"
    }
    if !lines.isEmpty { text += "    preferences:\n\(lines)" }
    return (text, defaults)
  }

  /// - Parameter isSilent: whether a retraction is no notification where nothing is said.
  private static func type(
    isSilent isSilentByDefault: Bool, using generator: inout SeededGenerator
  ) -> (text: String, rules: NaiveReplay.EventType) {
    let category = ["cards", "builds", "money"].randomElement(using: &generator) ?? "cards"
    var text = "  category: \(category)\n"
    var rules = NaiveReplay.EventType(category: category, channels: [:])
    rules.isCritical = Int.random(in: 0..<5, using: &generator) == 0
    rules.tellsActor = Int.random(in: 0..<3, using: &generator) == 0
    text += "  priority: \(rules.isCritical ? "critical" : "normal")\n"
    text += "  ownAction: \(rules.tellsActor ? "deliver" : "skip")\n"
    var isSilent = isSilentByDefault
    if Bool.random(using: &generator) {
      isSilent = Bool.random(using: &generator)
      text += "  retracting: \(isSilent ? "silent" : "deliver")\n"
    }
    text += "  channels:\n"
    var channels: [String: NaiveReplay.Channel] = [:]
    let names = [["email"], ["inapp"], ["email", "inapp"]].randomElement(using: &generator) ?? ["email"]
    for name in names {
      let channel = channel(using: &generator)
      channels[name] = channel.rule
      text += "    \(name): { \(channel.text) }\n"
    }
    rules.channels = channels
    rules.isSilent = isSilent
    return (text, rules)
  }

  private static func channel(
    using generator: inout SeededGenerator
  ) -> (text: String, rule: NaiveReplay.Channel) {
    var rule = NaiveReplay.Channel()
    var text = "policy: immediate"
    let kind = Int.random(in: 0..<7, using: &generator)
    if kind == 0, Bool.random(using: &generator) {
      let count = Int.random(in: 1...3, using: &generator)
      rule.throttle = (count, 86_400_000, 1_800_000)
      text += ", throttle: { limit: \(count), period: 1d, overflow: { policy: digest, window: 30m } }"
    }
    if kind > 3 {
      let schedule = schedule(using: &generator)
      rule.schedule = schedule.rule
      text = "policy: schedule, \(schedule.text)"
      group(&text, &rule, using: &generator)
      options(&text, &rule, using: &generator)
    } else if kind > 0, let window = windows.randomElement(using: &generator) {
      rule.windowMilliseconds = window.milliseconds
      text = "policy: digest, window: \(window.text)"
      group(&text, &rule, using: &generator)
      if window.text != "7d", Int.random(in: 0..<3, using: &generator) == 0 {
        rule.maxWindowMilliseconds = 3 * window.milliseconds
        text += ", sliding: true, maxWindow: \(3 * window.milliseconds)ms"
      }
      options(&text, &rule, using: &generator)
    }
    if Int.random(in: 0..<4, using: &generator) == 0 {
      rule.mandatory = true
      text += ", mandatory: true"
    }
    if Int.random(in: 0..<3, using: &generator) == 0 {
      let choices = ["instant", "hourly", "daily", "weekly"].shuffled(using: &generator)
        .prefix(Int.random(in: 0...3, using: &generator))
      rule.choices = Array(choices)
      text += ", choices: [\(choices.joined(separator: ", "))]"
    }
    return (text, rule)
  }

  private static func group(
    _ text: inout String, _ rule: inout NaiveReplay.Channel, using generator: inout SeededGenerator
  ) {
    guard Bool.random(using: &generator) else { return }
    rule.group = ["all", "urgent"].randomElement(using: &generator)
    text += ", group: \(rule.group ?? "")"
  }

  private static func options(
    _ text: inout String, _ rule: inout NaiveReplay.Channel, using generator: inout SeededGenerator
  ) {
    func chance(_ share: Int) -> Bool { Int.random(in: 0..<share, using: &generator) == 0 }
    if chance(3) {
      rule.maxItems = Int.random(in: 2...4, using: &generator)
      text += ", maxItems: \(rule.maxItems ?? 0)"
    }
    if chance(3) {
      let count = Int.random(in: 2...(rule.maxItems ?? 4), using: &generator)
      let isHeld = chance(2) && rule.maxWindowMilliseconds == nil
      rule.minItems = (count, isHeld)
      text += ", minItems: \(count), fewer: \(isHeld ? "hold" : "single")"
    }
    if chance(4) {
      text +=
        [", items: { last: 2 }", ", items: { top: 2, by: /n }", ", items: 1"].randomElement(using: &generator)
        ?? ""
    }
    if chance(3) {
      rule.leadingEdge = true
      text += ", leadingEdge: true"
    }
    if chance(3) {
      let fields = ["subject", "type", "category", "/board/id", "/tags/1", "/a~1b", "/nothing"]
      rule.key = Array(fields.shuffled(using: &generator).prefix(Int.random(in: 1...3, using: &generator)))
      text += ", key: [\(rule.key.joined(separator: ", "))]"
    }
  }

  private static func schedule(
    using generator: inout SeededGenerator
  ) -> (text: String, rule: NaiveSchedule) {
    switch Int.random(in: 0..<6, using: &generator) {
    case 0: return ("cadence: hourly", NaiveSchedule())
    case 1: return ("cadence: daily", NaiveSchedule(times: [540]))
    case 2: return ("cadence: weekly", NaiveSchedule(weekdays: [0], times: [540]))
    default: break
    }
    // Many between one and four at night, where the clocks change.
    let times = Set(
      (0..<Int.random(in: 1...3, using: &generator)).map { _ in
        Bool.random(using: &generator)
          ? Int.random(in: 0..<1440, using: &generator) : 15 * Int.random(in: 0..<16, using: &generator)
      })
    let clock = { (number: Int) in number < 10 ? "0\(number)" : "\(number)" }
    var schedule = NaiveSchedule(times: times.shuffled(using: &generator))
    let texts = schedule.times.map { "\"\(clock($0 / 60)):\(clock($0 % 60))\"" }
    var text = "at: [\(texts.joined(separator: ", "))]"
    if Bool.random(using: &generator) {
      let names = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
      let days = (0..<7).shuffled(using: &generator).prefix(Int.random(in: 1...3, using: &generator))
      schedule.weekdays = Set(days)
      text += ", weekdays: [\(days.map { names[$0] }.joined(separator: ", "))]"
    }
    return (text, schedule)
  }
}
