import Foundation

/// What a catalog sends, worked out a second time: slowly, with nothing of the product, and from docs/catalog.md,
/// docs/recipients.md, docs/schedules.md and docs/simulate.md alone. Everything is a dictionary, and windows are looked at one by one.
struct NaiveReplay {
  struct Channel {
    /// nil: immediate, or by schedule.
    var windowMilliseconds: Int64?
    var schedule: NaiveSchedule?
    /// What the recipient chose in their place.
    var cadence: String?
    var group: String?
    /// How many at once in a period of milliseconds, and the window of the others.
    var throttle: (count: Int, period: Int64, window: Int64)?
    var mandatory = false
    /// nil: all, or none if it is mandatory.
    var choices: [String]?
    /// Of a window that slides.
    var maxWindowMilliseconds: Int64?
    var maxItems: Int?
    var leadingEdge = false
    /// The number below which there is no digest, and whether fewer are held.
    var minItems: (count: Int, isHeld: Bool)?
    /// Attributes, or JSON pointers.
    var key: [String] = []
  }

  struct EventType {
    var category: String
    var isCritical = false
    var tellsActor = false
    var channels: [String: Channel]
    /// Whether what takes another event back is no notification itself.
    var isSilent = false
  }

  struct Recipient {
    var email: String?
    var timeZone: String?
    /// Category and channel, `*` for all.
    var optOut: [(category: String, channel: String)] = []
    /// Settings by category and channel, `*` for all.
    var preferences: [String: [String: String]] = [:]
    /// Ends by subject.
    var mutes: [String: Int64] = [:]
    /// Days since Monday, and minutes since midnight.
    var quietHours: [(weekdays: Set<Int>, from: Int64, until: Int64)]?

    /// "An instant is quiet exactly if the clock on the wall then shows a time of an interval."
    private func isQuiet(_ instant: Int64, _ zone: TimeZone) -> Bool {
      let date = Date(timeIntervalSince1970: Double(instant / 1000))
      let clock = instant / 1000 + Int64(zone.secondsFromGMT(for: date))
      return (quietHours ?? []).contains { interval in
        let length = (interval.until - interval.from + 1440 - 1) % 1440 + 1
        return [clock / 86_400 - 1, clock / 86_400].contains { day in
          let shown = clock / 60 - day * 1440
          return interval.weekdays.contains(Int((day + 3) % 7))
            && (interval.from..<interval.from + length).contains(shown)
        }
      }
    }

    /// "Due at the first instant that is not quiet." Clocks change at full minutes.
    func quietEnd(_ instant: Int64, _ zone: TimeZone) -> Int64 {
      var end = instant
      while isQuiet(end, zone) { end = (end / 60_000 + 1) * 60_000 }
      return end
    }

    /// "An opt-out, else the one that names category and channel, else the one that names the category, …"
    func setting(_ category: String, _ channel: String) -> String? {
      let isUnwanted = optOut.contains {
        ($0.category == "*" || $0.category == category) && ($0.channel == "*" || $0.channel == channel)
      }
      if isUnwanted { return "off" }
      return preferences[category]?[channel] ?? preferences[category]?["*"] ?? preferences["*"]?[channel]
        ?? preferences["*"]?["*"]
    }
  }

  struct Sent: Equatable {
    var messages = 0
    var digests = 0
    var notifications = 0
  }

  fileprivate struct Window {
    var opened: Int64
    var due: Int64
    var category: String
    var channel: String
    var rule: Channel
    var members: [Member] = []
    var isHeld = false

    var last: Int64 { opened + 31 * 86_400_000 }
    var hasTooFew: Bool { !members.isEmpty && members.count < rule.minItems?.count ?? 0 }
  }

  fileprivate struct Member {
    var id: [String]
    var expiry: Int64
    var collapseKey: String?
    var time: Int64?
    var category: String
    var isCritical = false
    /// Whether it came when there were too few.
    var mayBeAlone = false
  }

  var types: [String: EventType] = [:]
  var defaults = EventType(category: "general", channels: ["inapp": Channel()], isSilent: true)
  var rejectsUnknownTypes = false
  /// By channel: how many at once in a period of milliseconds, and the window of the others.
  var budgets: [String: (count: Int, period: Int64, window: Int64)] = [:]
  /// By `tenant/id`. nil: each has an address, and wants everything.
  var recipients: [String: Recipient]?
  var horizonMinutes: Int64 = 1440
  /// The deployment's.
  var timeZone = "UTC"
  /// What holds for the recipients of a tenant where their record says nothing.
  var tenants: [String: Recipient] = [:]

  /// By `channel category day`, the day as in `2024-10-25`.
  private(set) var sent: [String: Sent] = [:]
  /// By `channel outcome`, such as `email accepted`, `email duplicate`.
  private(set) var outcomes: [String: Int] = [:]
  private(set) var brokenLines = 0

  private var remembered: [[String]: Int64] = [:]
  private var takenBack: [[String]: Int64] = [:]
  private var windows: [[String]: Window] = [:]
  /// What was sent at once, and until when it counts, by tenant, recipient and channel, and by category as well.
  private var spent: [[String]: (count: Int, until: Int64)] = [:]

  private static let required = ["id", "source", "type"]
  private static let cadences = ["instant", "hourly", "daily", "weekly"]
  private static let schedules = [
    "hourly": NaiveSchedule(), "daily": NaiveSchedule(times: [540]),
    "weekly": NaiveSchedule(weekdays: [0], times: [540]),
  ]
  private let days = Self.formatter(.withFullDate)
  private let seconds = Self.formatter(.withInternetDateTime)
  private let fractions = Self.formatter([.withInternetDateTime, .withFractionalSeconds])

  mutating func run(_ lines: [String]) {
    var events: [(time: Int64?, fields: [String: Any])] = []
    for line in lines {
      let object = try? JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any]
      guard let fields = object, fields["specversion"] as? String == "1.0",
        Self.required.allSatisfy({ !(fields[$0] as? String ?? "").isEmpty }),
        (fields["recipient"] == nil) != (fields["recipients"] == nil)
      else {
        brokenLines += 1
        continue
      }
      let stated = (fields["time"] as? String).map(milliseconds)
      events.append((stated ?? events.last?.time, fields))
    }
    let first = events.lazy.compactMap(\.time).first ?? 0
    let sorted = events.enumerated().sorted {
      ($0.element.time ?? first, $0.offset) < ($1.element.time ?? first, $1.offset)
    }
    for (_, event) in sorted { take(event.fields, at: event.time ?? first) }
    for key in Array(windows.keys) { while windows[key] != nil { close(key) } }
  }

  private mutating func take(_ event: [String: Any], at now: Int64) {
    let text = { (name: String) in event[name] as? String }
    guard let name = text("type"), let list = text("recipient") ?? text("recipients") else { return }
    guard let type = types[name] ?? (rejectsUnknownTypes ? nil : defaults) else { return }
    let tenant = text("tenant") ?? "default"
    let category = text("category") ?? type.category
    let expiry = text("expirytime").map(milliseconds) ?? .max
    let isCritical = text("priority").map { $0 == "critical" } ?? type.isCritical
    var seen: Set<String> = []
    for recipient in list.components(separatedBy: ",") where seen.insert(recipient).inserted {
      let id = [tenant, text("source") ?? "", text("id") ?? "", recipient]
      let isDuplicate = remembered[id].map { now / 60_000 - $0 <= horizonMinutes } ?? false
      if !isDuplicate {
        remembered[id] = now / 60_000
        if let other = text("retracts") {
          takeBack([tenant, text("source") ?? "", other, recipient], at: now)
        }
      }
      let isTakenBack = takenBack[id].map { now / 60_000 - $0 <= horizonMinutes } ?? false
      if text("retracts") != nil, type.isSilent { continue }
      let known = recipients.map { $0["\(tenant)/\(recipient)"] } ?? Recipient(email: "a@example.org")
      let tenants = tenants[tenant]
      let zone = zone(of: known, tenants)
      let quiet = known?.quietHours == nil ? tenants : known
      let unquiet = { isCritical ? $0 : quiet?.quietEnd($0, zone) ?? $0 }
      let isMuted = known?.mutes[text("subject") ?? ""].map { now < $0 } ?? false
      for (channel, rule) in type.channels {
        count(channel, "accepted")
        let setting = known?.setting(category, channel) ?? tenants?.setting(category, channel)
        var rule = isCritical ? rule : Self.chosen(setting, rule)
        let isAtOnce = rule.windowMilliseconds == nil && rule.schedule == nil && unquiet(now) == now
        let throttle = isAtOnce && !isCritical ? rule.throttle : nil
        let budget = isCritical ? nil : budgets[channel]
        let (throttled, budgeted) = ([tenant, recipient, channel, category], [tenant, recipient, channel])
        if let throttle, !isWithin(throttle, throttled, at: now) {
          rule = Channel(windowMilliseconds: throttle.window, mandatory: rule.mandatory)
        } else if isAtOnce, let budget, !isWithin(budget, budgeted, at: now) {
          rule = Channel(windowMilliseconds: budget.window, group: "budget", mandatory: rule.mandatory)
        }
        if isDuplicate {
          count(channel, "duplicate")
        } else if isTakenBack {
          count(channel, "retracted")
        } else if expiry <= now {
          count(channel, "expired")
        } else if text("actor") == recipient, !type.tellsActor, !rule.mandatory {
          count(channel, "ownAction")
        } else if setting == "off", !rule.mandatory {
          count(channel, "optedOut")
        } else if isMuted, !rule.mandatory {
          count(channel, "muted")
        } else if channel == "email", known?.email == nil {
          count(channel, "noAddress")
        } else if rule.windowMilliseconds != nil || rule.schedule != nil || unquiet(now) > now {
          let isAlone = rule.windowMilliseconds == nil && rule.schedule == nil
          let rule = isAlone ? Channel() : rule
          let values = rule.key.map { value($0, of: event, category) }
          let apart = isAlone ? "quiet:" : rule.cadence.map { "\($0):" } ?? ""
          let key = [tenant, recipient, channel, apart + (rule.group ?? category)] + values
          while let open = windows[key], open.due <= now { close(key) }
          let due = unquiet(due(rule, openedAt: now, zone))
          let isHeld = windows[key]?.isHeld ?? false
          let isFirst = windows[key] == nil
          if isFirst {
            windows[key] = Window(opened: now, due: due, category: category, channel: channel, rule: rule)
          }
          let member = Member(
            id: id, expiry: expiry, collapseKey: text("collapsekey"), time: text("time").map(milliseconds),
            category: category)
          if isFirst, rule.leadingEdge, unquiet(now) == now, isWithin(budget, budgeted, at: now) {
            if let budget { spend(budget, budgeted, at: now) }
            send(channel, category, at: now, notifications: 1, isDigest: false)
          } else if collapses(member, in: key) {
            count(channel, "collapsed")
          } else {
            if isHeld, let window = windows[key] {
              windows[key]?.isHeld = false
              windows[key]?.due = min(window.last, due)
            } else if isCritical, let open = windows[key] {
              windows[key]?.due = min(open.due, due)
            }
            windows[key]?.add(member, at: now, isCritical: isCritical, unquiet)
          }
        } else {
          if let throttle { spend(throttle, throttled, at: now) }
          if let budget { spend(budget, budgeted, at: now) }
          send(channel, category, at: now, notifications: 1, isDigest: false)
        }
      }
    }
  }

  /// "A period begins with the first delivery that counts, and ends when it is over."
  private func isWithin(_ limit: (count: Int, period: Int64, window: Int64)?, _ key: [String], at now: Int64)
    -> Bool
  {
    guard let limit, let known = spent[key], known.until > now else { return true }
    return known.count < limit.count
  }

  private mutating func spend(
    _ limit: (count: Int, period: Int64, window: Int64), _ key: [String], at now: Int64
  ) {
    if let known = spent[key], known.until <= now { spent[key] = nil }
    spent[key, default: (0, now + limit.period)].count += 1
  }

  /// "A choice that is not allowed becomes the next rarer one that is, else the rarest that is allowed."
  private static func chosen(_ setting: String?, _ rule: Channel) -> Channel {
    let allowed = rule.choices ?? (rule.mandatory ? [] : cadences)
    guard let setting, let wanted = cadences.firstIndex(of: setting) else { return rule }
    let choice = cadences[wanted...].first(where: allowed.contains) ?? cadences.last(where: allowed.contains)
    guard let choice else { return rule }
    var rule = rule
    rule.windowMilliseconds = nil
    rule.schedule = schedules[choice]
    rule.cadence = choice
    (rule.maxWindowMilliseconds, rule.maxItems, rule.minItems, rule.leadingEdge) = (nil, nil, nil, false)
    return rule
  }

  private func value(_ field: String, of event: [String: Any], _ category: String) -> String {
    if field == "category" { return category }
    var value: Any? = event[field]
    if field.hasPrefix("/") {
      value = event["data"]
      for token in field.components(separatedBy: "/").dropFirst() {
        let name = token.replacingOccurrences(of: "~1", with: "/").replacingOccurrences(of: "~0", with: "~")
        if let list = value as? [Any] {
          value = Int(name).flatMap { list.indices.contains($0) ? list[$0] : nil }
        } else {
          value = (value as? [String: Any])?[name]
        }
      }
    }
    switch value {
    case nil, is NSNull: return "none"
    case let text as String: return text.isEmpty && !field.hasPrefix("/") ? "none" : "text \(text)"
    case let other?: return "other \(other)"
    }
  }

  private func due(_ rule: Channel, openedAt now: Int64, _ zone: TimeZone) -> Int64 {
    if let window = rule.windowMilliseconds { return now + window }
    return rule.schedule?.next(after: now, in: zone) ?? now
  }

  private func zone(of recipient: Recipient?, _ tenant: Recipient?) -> TimeZone {
    [recipient?.timeZone, tenant?.timeZone, timeZone].compactMap { $0 }.compactMap(NaiveSchedule.zone).first
      ?? .gmt
  }

  private mutating func takeBack(_ id: [String], at now: Int64) {
    takenBack[id] = now / 60_000
    for key in Array(windows.keys) {
      while let open = windows[key], open.due <= now { close(key) }
      guard let window = windows[key] else { continue }
      windows[key]?.members.removeAll { $0.id == id }
      for member in window.members where member.id == id { count(window.channel, "retracted") }
    }
  }

  /// Takes the older one of the same key out of the window; true if that is the new one.
  private mutating func collapses(_ member: Member, in key: [String]) -> Bool {
    guard let collapseKey = member.collapseKey,
      let index = windows[key]?.members.firstIndex(where: { $0.collapseKey == collapseKey }),
      let waiting = windows[key]?.members[index]
    else { return false }
    if let time = member.time, let other = waiting.time, time < other { return true }
    windows[key]?.members.remove(at: index)
    count(windows[key]?.channel ?? "", "collapsed")
    return false
  }

  private mutating func close(_ key: [String]) {
    guard let window = windows.removeValue(forKey: key) else { return }
    if window.hasTooFew, window.rule.minItems?.isHeld ?? false, window.due < window.last {
      windows[key] = window
      windows[key]?.isHeld = true
      windows[key]?.due = window.last
      return
    }
    let live = window.members.filter { $0.expiry > window.due }
    for _ in live.count..<window.members.count { count(window.channel, "expired") }
    if window.hasTooFew, !(window.rule.minItems?.isHeld ?? true), window.members.allSatisfy(\.mayBeAlone) {
      for member in live {
        send(window.channel, member.category, at: window.due, notifications: 1, isDigest: false)
      }
    } else if !live.isEmpty {
      send(window.channel, window.category, at: window.due, notifications: live.count, isDigest: true)
    }
  }

  private mutating func send(
    _ channel: String, _ category: String, at time: Int64, notifications: Int, isDigest: Bool
  ) {
    for _ in 0..<notifications { count(channel, "delivered") }
    let day = days.string(from: Date(timeIntervalSince1970: Double(time / 1000)))
    var sum = sent["\(channel) \(category) \(day)"] ?? Sent()
    sum.messages += 1
    sum.digests += isDigest ? 1 : 0
    sum.notifications += notifications
    sent["\(channel) \(category) \(day)"] = sum
  }

  private mutating func count(_ channel: String, _ outcome: String) {
    outcomes["\(channel) \(outcome)", default: 0] += 1
  }

  private static func formatter(_ options: ISO8601DateFormatter.Options) -> ISO8601DateFormatter {
    let formatter = ISO8601DateFormatter()
    formatter.formatOptions = options
    return formatter
  }

  private func milliseconds(_ text: String) -> Int64 {
    let date = seconds.date(from: text) ?? fractions.date(from: text)
    return Int64(((date?.timeIntervalSince1970 ?? 0) * 1000).rounded())
  }
}

extension NaiveReplay.Window {
  fileprivate mutating func add(
    _ member: NaiveReplay.Member, at now: Int64, isCritical: Bool, _ unquiet: (Int64) -> Int64
  ) {
    var member = member
    member.mayBeAlone = members.count < (rule.minItems?.count ?? 0) - 1
    member.isCritical = isCritical
    members.append(member)
    if let maxItems = rule.maxItems, members.count >= maxItems {
      due = min(due, unquiet(max(now, opened + 1)))
    } else if !isCritical, let longest = rule.maxWindowMilliseconds, let window = rule.windowMilliseconds {
      let slid = min(now + window, opened + longest)
      due = max(due, members.contains(where: \.isCritical) ? slid : unquiet(slid))
    }
  }
}
