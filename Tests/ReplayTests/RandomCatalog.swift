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
    let defaults = Self.type(using: &generator)
    naive.defaults = defaults.rules
    text += "defaults:\n\(defaults.text)types:\n"
    let listed = Self.typeNames.shuffled(using: &generator).prefix(Int.random(in: 1...4, using: &generator))
    for name in listed {
      let type = Self.type(using: &generator)
      naive.types[name] = type.rules
      text += "  \(name):\n    title: \"{{type}}\"\n"
      text += type.text.split(separator: "\n").map { "  \($0)\n" }.joined()
    }
    yaml = text
    self.naive = naive
  }

  private static func type(
    using generator: inout SeededGenerator
  ) -> (text: String, rules: NaiveReplay.EventType) {
    let category = ["cards", "builds", "money"].randomElement(using: &generator) ?? "cards"
    var text = "  category: \(category)\n  channels:\n"
    var channels: [String: NaiveReplay.Channel] = [:]
    let names = [["email"], ["inapp"], ["email", "inapp"]].randomElement(using: &generator) ?? ["email"]
    for name in names {
      let channel = channel(using: &generator)
      channels[name] = channel.rule
      text += "    \(name): { \(channel.text) }\n"
    }
    return (text, NaiveReplay.EventType(category: category, channels: channels))
  }

  private static func channel(
    using generator: inout SeededGenerator
  ) -> (text: String, rule: NaiveReplay.Channel) {
    var rule = NaiveReplay.Channel()
    var text = "policy: immediate"
    if Int.random(in: 0..<4, using: &generator) > 0, let window = windows.randomElement(using: &generator) {
      rule.windowMilliseconds = window.milliseconds
      text = "policy: digest, window: \(window.text)"
      if Bool.random(using: &generator) {
        rule.group = ["all", "urgent"].randomElement(using: &generator)
        text += ", group: \(rule.group ?? "")"
      }
    }
    if Int.random(in: 0..<4, using: &generator) == 0 {
      rule.mandatory = true
      text += ", mandatory: true"
    }
    return (text, rule)
  }
}
