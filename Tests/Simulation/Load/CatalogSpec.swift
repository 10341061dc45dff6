import Policy
import SeededTesting

/// A catalog as the checkers know it, and the same one as the processor reads it: what is decided is held against the
/// former, so that nothing of the policy's code takes part in its own check.
struct CatalogSpec {
  enum Rule: Equatable {
    case immediate
    case digest(window: Int64, items: Int, group: String?)
    case schedule(times: MinuteTimes, items: Int, group: String?)
    /// What a recipient chose in its place: `hourly`, `daily` or `weekly`, with windows apart from all others. No catalog
    /// says so.
    case cadence(String, items: Int, group: String)
    /// What takes the notifications beyond a limit, by the name that decisions give it. No catalog says so.
    case overflow(String, window: Int64, items: Int, group: String?)
    /// What quiet hours hold back of what would be delivered alone. No catalog says so.
    case quiet(category: String)

    /// Whether what it decides waits in a window.
    var isCollecting: Bool { self != .immediate }

    /// The number of items that a digest carries in full.
    var items: Int {
      switch self {
      case .immediate: 1
      case .quiet: 100
      case .digest(_, let items, _), .schedule(_, let items, _), .cadence(_, let items, _),
        .overflow(_, _, let items, _):
        items
      }
    }

    /// What shares a window besides recipient and channel; nil for the category.
    var group: String? {
      switch self {
      case .immediate: nil
      case .quiet(let category): "quiet:\(category)"
      case .cadence(_, _, let group): group
      case .digest(_, _, let group), .schedule(_, _, let group), .overflow(_, _, _, let group): group
      }
    }

    /// The instant at which a window closes that opens at another, both in milliseconds, by a zone of a recipient's
    /// record.
    func due(openedAt opened: Int64, in zone: String?) -> Int64 {
      switch self {
      case .immediate, .quiet: opened
      case .digest(let window, _, _), .overflow(_, let window, _, _): opened + window
      case .schedule(let times, _, _): times.next(after: opened, in: zone)
      case .cadence(let cadence, _, _): MinuteTimes.next(cadence, after: opened, in: zone)
      }
    }

    /// The policy as decisions name it.
    var name: String {
      switch self {
      case .immediate, .quiet: "immediate"
      case .digest: "digest"
      case .schedule: "schedule"
      case .cadence(let name, _, _), .overflow(let name, _, _, _): name
      }
    }
  }

  /// How many notifications are delivered at once in a period, and the digest of the rest; both times in milliseconds.
  struct LimitSpec {
    var count: Int
    var period: Int64
    var window: Int64
    var items: Int
    var group: String?
    var options: WindowOptionsSpec

    /// The rule of the overflow. What goes beyond a budget shares a window whatever its category, unless the catalog
    /// says otherwise.
    func overflow(_ name: String) -> Rule {
      .overflow(name, window: window, items: items, group: group ?? (name == "budget" ? "budget" : nil))
    }

    /// As the catalog says it.
    var text: String {
      let groupText = group.map { ", group: \($0)" } ?? ""
      return "{ limit: \(count), period: \(period)ms, overflow: { policy: digest, window: \(window)ms, "
        + "items: \(options.items(items))\(groupText)\(options.keys) } }"
    }

    static func draw(_ random: inout SeededGenerator) -> LimitSpec {
      let window = Int64.random(in: 1...8, using: &random) * 500
      var options = WindowOptionsSpec.draw(&random, window: window)
      options.leadingEdge = false
      return LimitSpec(
        count: Int.random(in: 1...3, using: &random), period: Int64.random(in: 1...20, using: &random) * 1000,
        window: window, items: Int.random(in: 1...4, using: &random),
        group: Bool.random(using: &random) ? "overflow" : nil, options: options)
    }
  }

  struct ChannelSpec {
    var rule: Rule
    var isMandatory: Bool
    var options = WindowOptionsSpec()
    /// Nil where the catalog says nothing.
    var choices: [String]?
    var throttle: LimitSpec?
    /// Whether what was seen is left out.
    var skipsSeen = false

    /// The options that count where a rule does, this one's or a recipient's choice: that leaves what shares a window, and
    /// which items are in full, as they are.
    func options(under rule: Rule) -> WindowOptionsSpec {
      if case .quiet = rule { return WindowOptionsSpec() }
      if case .overflow = rule { return throttle?.options ?? WindowOptionsSpec() }
      guard case .cadence = rule else { return options }
      var kept = WindowOptionsSpec()
      kept.key = options.key
      kept.selection = options.selection
      return kept
    }

    /// Whether a rule may deliver something at once.
    func isAtOnce(_ rule: Rule) -> Bool { rule == .immediate || options(under: rule).leadingEdge }

    /// The keys beside the policy's.
    var keys: String {
      (isMandatory ? ", mandatory: true" : "") + (skipsSeen ? ", skipIfSeen: true" : "")
        + options.keys + (throttle.map { ", throttle: \($0.text)" } ?? "")
        + (choices.map { ", choices: [\($0.joined(separator: ", "))]" } ?? "")
    }
  }

  struct TypeSpec {
    var name: String
    var category: String
    var tellsActor = false
    var email: ChannelSpec?
    var inapp: ChannelSpec?
    /// Whether an event that takes another one back is no notification itself.
    var isSilent = false

    func channel(_ name: String) -> ChannelSpec? { name == "email" ? email : inapp }
  }

  let types: [TypeSpec]
  /// By channel: how many are delivered at once to a recipient, of all types together.
  let budgets: [String: LimitSpec]
  /// By channel: what becomes of notifications that are too late to be delivered at once.
  let catchUps: [String: CatchUpSpec]
  /// What holds for the recipients of a tenant where their record says nothing.
  let tenants: [String: RecipientFact]
  let catalog: Catalog

  /// The version as decisions and deliveries write it.
  var version: String { catalog.versionText }

  static let unknownType = "nobody.knows"

  init(
    types: [TypeSpec], tenants: [String: RecipientFact] = [:], budgets: [String: LimitSpec] = [:],
    catchUps: [String: CatchUpSpec] = [:]
  ) throws {
    self.types = types
    self.tenants = tenants
    self.budgets = budgets
    self.catchUps = catchUps
    catalog = try Catalog.parse(yaml: Self.yaml(types, tenants, budgets, catchUps), file: "catalog.yaml")
  }

  func type(named name: String) -> TypeSpec? { types.first { $0.name == name } }

  /// The longest window, in milliseconds.
  var longestWindow: Int64 {
    let overflows =
      budgets.values.map { $0.options.longest ?? $0.window }
      + catchUps.values.map { $0.options.longest ?? $0.window }
    return types.flatMap { [$0.email, $0.inapp] }.reduce(overflows.max() ?? 0) { longest, channel in
      switch channel?.rule {
      case .digest(let window, _, _): return max(longest, channel?.options.longest ?? window)
      case .schedule: return max(longest, MinuteTimes.longestWait)
      case .immediate, .cadence, .overflow, .quiet, nil:
        return max(longest, channel?.throttle.map { $0.options.longest ?? $0.window } ?? 0)
      }
    }
  }

  /// The template of a type's title.
  static func title(of type: String) -> String { "{{actor}} \(type)" }

  private static func yaml(
    _ types: [TypeSpec], _ tenants: [String: RecipientFact], _ budgets: [String: LimitSpec],
    _ catchUps: [String: CatchUpSpec]
  ) -> String {
    var lines = ["unknownTypes: reject"]
    if !budgets.isEmpty { lines.append("budget:") }
    for (name, budget) in budgets.sorted(by: { $0.key < $1.key }) {
      lines.append("  \(name): \(budget.text)")
    }
    if !catchUps.isEmpty { lines.append("catchUp:") }
    for (name, catchUp) in catchUps.sorted(by: { $0.key < $1.key }) {
      lines.append("  \(name): \(catchUp.text)")
    }
    if !tenants.isEmpty { lines.append("tenants:") }
    for (name, fact) in tenants.sorted(by: { $0.key < $1.key }) {
      lines.append("  \(name):")
      if let locale = fact.locale { lines.append("    locale: \(locale)") }
      if let zone = fact.timeZone { lines.append("    timeZone: \(zone)") }
      if let hours = fact.quietHours {
        let (from, until) = (MinuteTimes.clock(hours.from), MinuteTimes.clock(hours.until))
        lines.append("    quietHours: { from: \"\(from)\", until: \"\(until)\" }")
      }
      if !fact.preferences.isEmpty { lines.append("    preferences:") }
      for (category, channels) in fact.preferences.sorted(by: { $0.key < $1.key }) {
        let settings = channels.sorted { $0.key < $1.key }.map { "\"\($0.key)\": \($0.value)" }
        lines.append("      \"\(category)\": { \(settings.joined(separator: ", ")) }")
      }
    }
    lines.append("types:")
    for type in types {
      lines += [
        "  \(type.name):", "    category: \(type.category)", "    title: \"\(title(of: type.name))\"",
      ]
      if type.tellsActor { lines.append("    ownAction: deliver") }
      if type.isSilent { lines.append("    retracting: silent") }
      lines.append("    channels:")
      for (name, channel) in [("email", type.email), ("inapp", type.inapp)] {
        guard let channel else { continue }
        let keys = channel.keys
        switch channel.rule {
        case .cadence, .overflow, .quiet: continue
        case .immediate: lines.append("      \(name): { policy: immediate\(keys) }")
        case .digest(let window, let items, let group):
          let groupText = group.map { ", group: \($0)" } ?? ""
          lines.append(
            "      \(name): { policy: digest, window: \(window)ms, "
              + "items: \(channel.options.items(items))\(groupText)\(keys) }")
        case .schedule(let times, let items, let group):
          let groupText = group.map { ", group: \($0)" } ?? ""
          lines.append(
            "      \(name): { policy: schedule, \(times.keys), "
              + "items: \(channel.options.items(items))\(groupText)\(keys) }")
        }
      }
    }
    return lines.joined(separator: "\n") + "\n"
  }
}

extension CatalogSpec {
  /// A catalog of a few types with windows of several lengths and options, and some that close by schedule in the minutes after the
  /// start of the run, in milliseconds since the epoch.
  ///
  /// - Parameter wishes: draws what concerns the recipients' wishes.
  static func draw(
    _ random: inout SeededGenerator, wishes: inout SeededGenerator, start: Int64
  ) throws -> CatalogSpec {
    let windows: [Int64] = [200, 700, 1500, 3000, 8000, 20_000]
    let times = MinuteTimes(after: start)
    func digest(_ random: inout SeededGenerator) -> ChannelSpec {
      let window = windows[Int.random(in: 0..<windows.count, using: &random)]
      let items = Int.random(in: 1...4, using: &random)
      let group = Int.random(in: 0..<3, using: &random) == 0 ? "shared" : nil
      let isScheduled = Int.random(in: 0..<4, using: &random) == 0
      let options = WindowOptionsSpec.draw(&random, window: isScheduled ? nil : window)
      return ChannelSpec(
        rule: isScheduled
          ? .schedule(times: times, items: items, group: group)
          : .digest(window: window, items: items, group: group),
        isMandatory: Int.random(in: 0..<8, using: &random) == 0, options: options)
    }
    func immediate(_ random: inout SeededGenerator, isMandatory: Bool = false) -> ChannelSpec {
      var channel = ChannelSpec(rule: .immediate, isMandatory: isMandatory)
      if Int.random(in: 0..<3, using: &random) == 0 { channel.throttle = LimitSpec.draw(&random) }
      return channel
    }
    var types = [
      TypeSpec(name: "card.moved", category: "cards", email: digest(&random), inapp: immediate(&random)),
      TypeSpec(
        name: "card.due", category: "cards", email: digest(&random), inapp: digest(&random),
        isSilent: Bool.random(using: &random)),
      TypeSpec(
        name: "build.failed", category: "builds", email: immediate(&random), inapp: immediate(&random)),
      TypeSpec(name: "build.done", category: "builds", email: nil, inapp: digest(&random)),
      TypeSpec(
        name: "login", category: "security", email: immediate(&random, isMandatory: true), inapp: nil),
    ]
    for index in types.indices {
      types[index].tellsActor = Int.random(in: 0..<4, using: &wishes) == 0
      types[index].email?.choices = choices(&wishes)
      types[index].inapp?.choices = choices(&wishes)
      types[index].email?.skipsSeen = Bool.random(using: &wishes)
    }
    var budgets: [String: LimitSpec] = [:]
    for name in ["email", "inapp"] where Int.random(in: 0..<4, using: &random) == 0 {
      budgets[name] = LimitSpec.draw(&random)
      budgets[name]?.count = Int.random(in: 1...5, using: &random)
    }
    var catchUps: [String: CatchUpSpec] = [:]
    for name in ["email", "inapp"] where Int.random(in: 0..<3, using: &random) == 0 {
      catchUps[name] = CatchUpSpec.draw(&random)
    }
    return try CatalogSpec(
      types: types, tenants: ["acme": tenantDefaults(&wishes, start: start)], budgets: budgets,
      catchUps: catchUps)
  }

  /// Language and zone are the same in each catalog of a run: which of them is in force when a digest goes out is not in
  /// the log.
  private static func tenantDefaults(_ random: inout SeededGenerator, start: Int64) -> RecipientFact {
    var fact = deliveredDefaults(of: "acme") ?? RecipientFact()
    let settings = ["on", "off", "instant", "hourly", "daily", "weekly"]
    for category in ["*", "cards", "builds", "urgent"] where Int.random(in: 0..<3, using: &random) == 0 {
      for channel in ["*", "email", "inapp"] where Int.random(in: 0..<3, using: &random) == 0 {
        fact.preferences[category, default: [:]][channel] =
          settings[Int.random(in: 0..<settings.count, using: &random)]
      }
    }
    if Int.random(in: 0..<4, using: &random) == 0 {
      let from = MinuteTimes.minute(of: start, in: fact.timeZone) + Int64.random(in: 0...5, using: &random)
      fact.quietHours = (from % 1_440, (from + 1) % 1_440)
    }
    return fact
  }

  /// What deliveries say of a tenant's recipients where their record does not.
  static func deliveredDefaults(of tenant: String) -> RecipientFact? {
    guard tenant == "acme" else { return nil }
    var fact = RecipientFact()
    fact.locale = "fr"
    fact.timeZone = "Europe/Berlin"
    return fact
  }

  private static func choices(_ random: inout SeededGenerator) -> [String]? {
    guard Int.random(in: 0..<3, using: &random) == 0 else { return nil }
    return ["instant", "hourly", "daily", "weekly"].filter { _ in Bool.random(using: &random) }
  }
}
