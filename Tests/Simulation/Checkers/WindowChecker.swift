import Contract

/// Invariants 3 and 4: at most one digest per window id, across crashes, fencing and replay; none before it is due, and
/// none late. In a digest, items are in the order of the home partition; per recipient and digest key, digests are in
/// window order.
struct WindowChecker {
  private struct Member {
    var notification: String
    /// What its item says.
    var item: ItemFact
    var expiry: Int64?
    var collapseKey: String?
    /// What a single delivery of it has to say.
    var category: String
    var catalog: String
    /// Whether it leaves the window when the recipient has seen it.
    var skipsSeen = false
    var isCritical = false
    /// Whether the window keeps its item, and may deliver it by itself.
    var isKept = true
    var mayBeAlone = false

    var event: String { item.id }
    var priority: Priority { isCritical ? .critical : .normal }
  }

  /// A notification that was taken out of its window, until the event that is the cause.
  private struct Withdrawn {
    var window: String
    var member: Member
    var outcome: DecisionRecord.Outcome
    var event: String?
  }

  private struct Window {
    var id: String
    var key: String
    var opened: Int64
    /// The instants at which it may be due: more than one only behind a leading edge, until the first one joins it.
    var dues: [Int64]
    var itemLimit: Int
    /// What each notification adds to its length, in milliseconds.
    var step: Int64?
    var options: WindowOptionsSpec
    var catalog: String
    /// Those of the notification which opened it.
    var category: String
    var type: String
    var priority: Priority
    var members: [Member] = []

    var due: Int64 { dues.max() ?? opened }

    var hasTooFew: Bool { !members.isEmpty && members.count < options.minItems?.count ?? 0 }
    /// Whether it waits on when it is due.
    var isHeld: Bool { hasTooFew && options.minItems?.isHeld ?? false }
    /// When it is due to close.
    var closing: Int64 { isHeld ? opened + WindowOptionsSpec.longestHold : due }

    /// Whether it has been due with too few, and waits on.
    func isHeld(at now: Int64) -> Bool {
      guard let minItems = options.minItems, minItems.isHeld, members.count < minItems.count else {
        return false
      }
      return dues == [opened + WindowOptionsSpec.longestHold] || (!members.isEmpty && due <= now)
    }

    /// Whether its members go out each by itself.
    var isSingly: Bool { hasTooFew && !isHeld && members.allSatisfy(\.mayBeAlone) }

    /// The members whose items a digest carries in full, in its order.
    var selected: [Member] { selection.map { members[$0] } }

    private var selection: [Int] {
      let kept = members.indices.filter { members[$0].isKept }
      switch options.selection {
      case .first: return Array(kept.prefix(itemLimit))
      case .last: return kept.suffix(itemLimit)
      case .top:
        return Array(
          kept.sorted { (members[$1].item.number, $0) < (members[$0].item.number, $1) }.prefix(itemLimit))
      }
    }

    /// Takes a notification, and lets go of items that it is not going to show when there are too many.
    mutating func join(_ member: Member) {
      var member = member
      if let minItems = options.minItems, !minItems.isHeld {
        member.mayBeAlone = members.count < minItems.count - 1
      }
      let isFirst = options.selection == .first
      member.isKept =
        !isFirst || member.mayBeAlone || member.skipsSeen || members.count { $0.isKept } < itemLimit
      members.append(member)
      let bound = 2 * itemLimit + (options.minItems?.count ?? 0) + members.count / 8
      guard !isFirst, members.count(where: { $0.isKept }) > bound else { return }
      let best = Set(selection)
      for index in members.indices where !best.contains(index) && !members[index].mayBeAlone {
        members[index].isKept = false
      }
    }

    /// When it is due after it took a notification, and was due before.
    func due(
      at now: Int64, from due: Int64, isCritical: Bool, memberLimit: Int, unquiet: (Int64) -> Int64
    ) -> Int64 {
      // It does not close at the instant of its opening.
      let earliest = max(now, opened + 1)
      if members.count >= memberLimit { return min(due, earliest) }
      if let maxItems = options.maxItems, members.count >= maxItems { return min(due, unquiet(earliest)) }
      guard let step, let longest = options.longest, !isCritical else { return due }
      let slid = min(now + step, opened + longest)
      return max(due, members.contains(where: \.isCritical) ? slid : unquiet(slid))
    }
  }

  let catalogs: [CatalogSpec]
  let memberLimit: Int
  /// Open windows by home and id.
  private var open: [[String: Window]]
  /// The open window of a key.
  private var current: [[String: String]]
  private var withdrawn: [[Withdrawn]]
  private var budgets: [BudgetModel]
  private var used: Set<String> = []
  private var lastOpened: [String: Int64] = [:]

  init(partitionCount: Int, catalogs: [CatalogSpec], memberLimit: Int) {
    self.catalogs = catalogs
    self.memberLimit = memberLimit
    open = Array(repeating: [:], count: partitionCount)
    current = Array(repeating: [:], count: partitionCount)
    withdrawn = Array(repeating: [], count: partitionCount)
    budgets = Array(repeating: BudgetModel(), count: partitionCount)
  }

  /// The windows that are open and due to close at an instant.
  func overdueCount(at instant: Int64) -> Int {
    open.reduce(0) { count, windows in
      count + windows.values.count { $0.closing <= instant }
    }
  }

  // MARK: - Arrivals

  /// Takes the outcomes of an arrival.
  mutating func take(
    _ arrival: DecisionRecord.Arrival, _ decision: DecisionRecord, _ fact: EventFact, _ commit: HomeCommit,
    _ record: InputFact, facts: InputFacts
  ) throws(Violation) {
    try checkWithdrawn(arrival, decision, fact, commit)
    for (channel, outcome) in arrival.channels {
      if outcome == .other("collapsed") {
        try checkCollapsed(arrival, on: channel, decision, fact, commit)
        continue
      }
      let versions = facts.versions(
        of: decision.recipientKey, partition: commit.home, known: commit.before?.positions[2] ?? 0,
        end: commit.header.positions[2]
      ).filter { $0?.offset == arrival.recipientRecord }
      guard let catalog = catalogs.first(where: { $0.version == arrival.catalog }),
        let type = catalog.type(named: fact.type), let spec = type.channel(channel)
      else { throw Violation(.onceOnly, "\(commit.place): \(fact.type) has no window on \(channel)") }
      let question = WishQuestion(
        channel: channel, category: arrival.category, event: fact.narrowed(to: decision.recipient),
        type: type, rule: spec, tenant: catalog.tenants[fact.tenant], budget: catalog.budgets[channel],
        catchUp: catalog.catchUps[channel], time: decision.time,
        age: decision.time - record.firstAppended)
      let isSpent = try budgets[commit.home].take(outcome, question, arrival, decision, commit.place)
      // That the policy is a collecting one was checked with the decision.
      let policy = arrival.policies[channel]
      let rules = versions.map { (rule: question.effective($0?.fact, by: policy), record: $0?.fact) }
        .filter { $0.rule.isCollecting && $0.rule.name == arrival.policies[channel] }
        .map { (rule: $0.rule, record: $0.record, options: question.options(under: $0.rule)) }
      let until: Int64
      let id: String?
      switch outcome {
      case .open(let window, let instant): (id, until) = (window, instant)
      case .delivered where rules.contains { $0.options.leadingEdge }: (id, until) = (nil, decision.time)
      default: continue
      }
      // With several records that may count, the one of the window that it says it is in.
      let groups = rules.map { $0.options.digestKey(group: $0.rule.group ?? arrival.category, fact) }
      func key(_ group: [UInt8]) -> String {
        "\(channel) \(String(decoding: group, as: UTF8.self)) \(decision.recipientKey)"
      }
      let index =
        groups.firstIndex { id != nil && current[commit.home][key($0)] == id }
        ?? groups.firstIndex { Self.id(decision, channel, $0, opened: decision.time) == id }
        ?? rules.firstIndex { id != nil || $0.options.leadingEdge }
      guard let index else { continue }
      let (rule, options, group) = (rules[index].rule, rules[index].options, groups[index])
      let records = zip(rules, groups).filter { $0.1 == group }.map(\.0)
      let dues = records.map { question.due($0.rule, $0.record) }
      let windowKey = key(group)
      let isFirst = current[commit.home][windowKey] == nil
      if isFirst {
        let id = Self.id(decision, channel, group, opened: decision.time)
        try require(
          used.insert(id).inserted, .windows,
          "\(commit.place): window \(id) of \(windowKey) opens a second time")
        var window = Window(
          id: id, key: windowKey, opened: decision.time, dues: dues, itemLimit: rule.items, options: options,
          catalog: arrival.catalog, category: arrival.category, type: fact.type,
          priority: fact.isCritical ? .critical : .normal)
        switch rule {
        case .digest(let length, _, _), .overflow(_, let length, _, _): window.step = length
        default: break
        }
        current[commit.home][windowKey] = id
        open[commit.home][id] = window
      }
      // In quiet hours nothing is delivered at once.
      let isAwake = records.map { question.unquiet(decision.time, $0.record) == decision.time }
      guard let id else {
        try require(
          isFirst && isAwake.contains(true) && !question.isLate, .windows,
          "\(commit.place): \(fact.id) is delivered at once, although a window of \(windowKey) is open, or it is late"
        )
        continue
      }
      try require(
        !isFirst || !options.leadingEdge || isAwake.contains(false) || isSpent || question.isLate, .windows,
        "\(commit.place): \(fact.id) waits, although it is the first of \(windowKey)")
      guard current[commit.home][windowKey] == id, var window = open[commit.home][id] else {
        throw Violation(
          .windows,
          "\(commit.place): \(fact.id) waits in window \(id) of \(windowKey), which is not the open one "
            + "(\(current[commit.home][windowKey] ?? "none"))")
      }
      // When it is due by one of the records that may count: anew where it waited with too few, and never later than it was
      // for what is critical.
      let own = zip(records, dues).map { (record: $0.record, due: $1) }
      var candidates: [(record: RecipientFact?, due: Int64)]
      if isFirst || window.isHeld(at: decision.time) {
        candidates = own
      } else {
        candidates = window.dues.flatMap { due in
          own.map { ($0.record, fact.isCritical ? min(due, $0.due) : due) }
        }
      }
      window.dues = candidates.map(\.due)
      try require(
        window.due > decision.time, .windows,
        "\(commit.place): window \(id) takes \(fact.id) at \(decision.time) and was due at \(window.due)")
      try require(
        fact.collapseKey == nil || !window.members.contains { $0.collapseKey == fact.collapseKey }, .windows,
        "\(commit.place): \(fact.id) waits in window \(id) beside another of collapse key \(fact.collapseKey ?? "")"
      )
      window.join(
        Member(
          notification: arrival.notification, item: ItemFact(fact, accepted: record.appended),
          expiry: fact.expiry, collapseKey: fact.collapseKey, category: arrival.category,
          catalog: arrival.catalog, skipsSeen: spec.skipsSeen,
          isCritical: fact.isCritical))
      let joined = candidates.map { candidate in
        window.due(
          at: decision.time, from: candidate.due, isCritical: fact.isCritical, memberLimit: memberLimit
        ) { question.unquiet($0, candidate.record) }
      }
      try require(
        joined.contains(until), .windows,
        "\(commit.place): window \(id) of \(windowKey), opened at \(window.opened), took \(fact.id) at \(decision.time) and "
          + "is due at \(until), not \(joined)")
      window.dues = [until]
      open[commit.home][id] = window
    }
  }

  private static func id(
    _ decision: DecisionRecord, _ channel: String, _ digestKey: [UInt8], opened: Int64
  ) -> String {
    decision.tenant.withByteView { tenant in
      decision.recipient.withByteView { recipient in
        digestKey.withUnsafeBytes {
          WindowID.hash(
            tenant: tenant, recipient: recipient, channel: channel == "email" ? .email : .inapp,
            digestKey: ByteView($0), openedMilliseconds: opened
          ).hex
        }
      }
    }
  }

  // MARK: - Withdrawals

  /// Takes the decision about a notification that leaves its window.
  mutating func take(
    _ withdrawal: DecisionRecord.Withdrawal, _ decision: DecisionRecord, _ commit: HomeCommit,
    facts: InputFacts
  ) throws(Violation) {
    guard var window = open[commit.home][withdrawal.window],
      let index = window.members.firstIndex(where: { $0.notification == withdrawal.notification })
    else {
      throw Violation(
        .windows,
        "\(commit.place): \(withdrawal.notification) leaves window \(withdrawal.window), in which it does not wait"
      )
    }
    if window.isHeld(at: decision.time) { window.dues = [window.opened + WindowOptionsSpec.longestHold] }
    let member = window.members.remove(at: index)
    open[commit.home][withdrawal.window] = window
    if withdrawal.outcome == .suppressed("seen") {
      let isSeen = sights(commit, facts).contains { record in
        record.fact.id == withdrawal.event && record.fact.key == decision.recipientKey
          && record.fact.notifications.contains(member.notification)
      }
      return try require(
        member.skipsSeen && isSeen, .windows,
        "\(commit.place): \(member.event) left window \(window.id) as seen, which "
          + (member.skipsSeen ? "no record of this commit says" : "its type does not ask for"))
    }
    withdrawn[commit.home].append(
      Withdrawn(window: window.id, member: member, outcome: withdrawal.outcome, event: withdrawal.event))
  }

  /// What this commit has consumed that says that something was seen.
  private func sights(
    _ commit: HomeCommit, _ facts: InputFacts
  ) -> [(fact: EngagementFact, appended: Int64)] {
    facts.records(.engagement, partition: commit.home, commit.consumed(.engagement)).compactMap { record in
      guard case .engagement(let fact) = record.kind, fact.isSight,
        home(of: fact.key, facts.partitionCount) == commit.home
      else { return nil }
      return (fact, record.appended)
    }
  }

  /// What was seen waits nowhere: it has left its window, or was suppressed when it came. Only the memory of a sight
  /// that is over lets it in again. Of what is due, it is left to the ticks.
  private func checkSights(
    _ commit: HomeCommit, _ facts: InputFacts, horizonMinutes: Int64
  ) throws(Violation) {
    for (fact, appended) in sights(commit, facts)
    where commit.header.inputClock / 60_000 - appended / 60_000 <= horizonMinutes {
      let seen = Set(fact.notifications)
      for window in open[commit.home].values.sorted(by: { $0.id < $1.id })
      where window.closing > commit.header.timerClock {
        guard let member = window.members.first(where: { $0.skipsSeen && seen.contains($0.notification) })
        else { continue }
        throw Violation(
          .windows,
          "\(commit.place): \(member.event) was seen (\(fact.id)), and still waits in window \(window.id)")
      }
    }
  }

  /// What left a window before an arrival left it because of this arrival, and all that had to leave did: what is due
  /// had left before, and a tick delivers it.
  private mutating func checkWithdrawn(
    _ arrival: DecisionRecord.Arrival, _ decision: DecisionRecord, _ fact: EventFact, _ commit: HomeCommit
  ) throws(Violation) {
    let retracted = arrival.isDuplicate ? nil : fact.retractedNotification(for: decision.recipient)
    for entry in withdrawn[commit.home] {
      let isCause =
        switch entry.outcome {
        case .other("retracted"): entry.member.notification == retracted
        case .other("collapsed"):
          fact.collapseKey != nil && entry.member.collapseKey == fact.collapseKey
            && !Self.isOlder(fact, than: entry.member)
            && arrival.channels.contains {
              if case .open(entry.window, _) = $0.outcome { true } else { false }
            }
        default: false
        }
      try require(
        isCause && entry.event == fact.id, .windows,
        "\(commit.place): \(entry.member.event) left window \(entry.window) (\(entry.outcome)) before \(fact.id), "
          + "which is no reason")
    }
    withdrawn[commit.home] = []
    guard let retracted else { return }
    for window in open[commit.home].values where window.closing > decision.time {
      try require(
        !window.members.contains { $0.notification == retracted }, .windows,
        "\(commit.place): \(fact.id) takes \(retracted) back, which still waits in window \(window.id)")
    }
  }

  /// An arrival that gives way to a newer one which waits.
  private func checkCollapsed(
    _ arrival: DecisionRecord.Arrival, on channel: String, _ decision: DecisionRecord, _ fact: EventFact,
    _ commit: HomeCommit
  ) throws(Violation) {
    let catalog = catalogs.first { $0.version == arrival.catalog }
    let spec = catalog?.type(named: fact.type)?.channel(channel)
    // In the ordinary window, that of quiet hours, that of a limit, or that of a cadence.
    let (limit, budget) = (spec?.throttle, catalog?.budgets[channel])
    let catchUp = catalog?.catchUps[channel]
    let groups = [
      spec?.options.digestKey(group: spec?.rule.group ?? arrival.category, fact) ?? [],
      limit?.options.digestKey(group: limit?.group ?? arrival.category, fact) ?? [],
      budget?.options.digestKey(group: budget?.group ?? "budget", fact) ?? [],
      catchUp?.options.digestKey(group: catchUp?.group ?? "catchUp", fact) ?? [],
      Array("quiet:\(arrival.category)".utf8),
    ]
    let cadences = ["hourly", "daily", "weekly"].map { cadence in
      let group = "\(cadence):\(spec?.rule.group ?? arrival.category)"
      return spec?.options.digestKey(group: group, fact) ?? []
    }
    let keys = (groups + cadences).map { String(decoding: $0, as: UTF8.self) }
    let waiting = keys.compactMap { current[commit.home]["\(channel) \($0) \(decision.recipientKey)"] }
      .flatMap { open[commit.home][$0]?.members ?? [] }
    try require(
      fact.collapseKey != nil
        && waiting.contains { $0.collapseKey == fact.collapseKey && Self.isOlder(fact, than: $0) },
      .windows,
      "\(commit.place): \(fact.id) is collapsed on \(channel), but nothing newer waits in windows of \(keys)"
    )
  }

  private static func isOlder(_ fact: EventFact, than member: Member) -> Bool {
    guard let time = fact.time, let other = member.item.time else { return false }
    return time < other
  }

  /// At the end of a commit every withdrawal has its cause.
  func checkEnd(_ commit: HomeCommit, facts: InputFacts, horizonMinutes: Int64) throws(Violation) {
    try checkSights(commit, facts, horizonMinutes: horizonMinutes)
    guard let entry = withdrawn[commit.home].first else { return }
    throw Violation(
      .windows, "\(commit.place): \(entry.member.event) left window \(entry.window) without a reason")
  }

  // MARK: - Closures

  /// Takes the decision about a window that was closed.
  mutating func take(
    _ closure: DecisionRecord.Closure, _ decision: DecisionRecord, _ commit: HomeCommit, facts: InputFacts,
    service: ServiceTracker
  ) throws(Violation) {
    guard let window = open[commit.home].removeValue(forKey: closure.window) else {
      throw Violation(
        .windows,
        "\(commit.place): window \(closure.window) closes "
          + (used.contains(closure.window) ? "a second time" : "and was never open"))
    }
    current[commit.home][window.key] = nil
    try require(
      decision.time >= window.dues.min() ?? window.due, .windows,
      "\(commit.place): window \(window.id) closes at \(decision.time) by the timer clock, due at \(window.due)"
    )
    try require(
      commit.time + service.clockBound >= window.dues.min() ?? window.due, .windows,
      "\(commit.place): window \(window.id) closes at \(commit.time), due at \(window.due)")
    if let late = service.lateFrom(commit.home, due: window.due) {
      try require(
        commit.time <= late, .windows,
        "\(commit.place): window \(window.id) closes at \(commit.time), \(commit.time - window.due) ms after it was due, "
          + "by a worker that lives")
    }
    try require(
      window.opened > lastOpened[window.key] ?? Int64.min, .order,
      "\(commit.place): window \(window.id) of \(window.key) opened before the last digest's")
    lastOpened[window.key] = window.opened
    var alive = window.members.filter { ($0.expiry ?? Int64.max) > decision.time }
    let addresses = facts.versions(
      of: decision.recipientKey, partition: commit.home, known: commit.before?.positions[2] ?? 0,
      end: commit.header.positions[2]
    ).map { $0?.fact.email }
    if !closure.suppressed.isEmpty {
      try require(
        closure.channel == "email" && addresses.contains(nil) && closure.reason == "noAddress"
          && closure.suppressed == alive.map(\.notification),
        .windows,
        "\(commit.place): window \(window.id) on \(closure.channel) suppresses \(closure.suppressed) for "
          + "\(closure.reason ?? "nothing"), of \(alive.map(\.event)), with the addresses \(addresses)")
      alive = []
    } else if closure.channel == "email", !alive.isEmpty {
      try require(
        addresses.contains { $0 != nil }, .windows,
        "\(commit.place): window \(window.id) delivers \(alive.map(\.event)) to nobody")
    }
    let expired = window.members.filter { ($0.expiry ?? Int64.max) <= decision.time }
    try require(
      closure.members == alive.map(\.notification) && closure.expired == expired.map(\.notification)
        && closure.events == Int64(alive.count), .order,
      "\(commit.place): window \(window.id) of \(window.key) closes with \(closure.members.count) members and "
        + "\(closure.expired.count) expired, expected \(alive.map(\.event)) and \(expired.map(\.event))")
    try require(
      !window.isHeld || decision.time >= window.closing, .windows,
      "\(commit.place): window \(window.id) closes with \(window.members.count), which are too few")
    let isSingly = window.isSingly
    let digests = commit.deliveries.filter { $0.delivery.id == window.id }.map(\.delivery)
    try require(
      digests.count == (alive.isEmpty || isSingly ? 0 : 1)
        && (closure.delivery != nil) == !(alive.isEmpty || isSingly)
        && closure.isSingly == (isSingly && !alive.isEmpty),
      .windows,
      "\(commit.place): \(digests.count) digests of window \(window.id) with \(alive.count) members")
    if isSingly { try checkSingles(closure.singles, alive, decision, commit) }
    if let digest = digests.first { try check(digest, window, alive, decision, commit, facts) }
  }

  private func check(
    _ digest: Delivery, _ window: Window, _ alive: [Member], _ decision: DecisionRecord, _ commit: HomeCommit,
    _ facts: InputFacts
  ) throws(Violation) {
    let place = "\(commit.place), digest \(window.id)"
    try require(
      digest.kind == .digest && digest.window?.id == window.id
        && digest.window?.openedMilliseconds == window.opened
        && digest.recipientKey == decision.recipientKey && digest.totalEvents == alive.count
        && digest.totalActors == Set(alive.compactMap(\.item.actor)).count,
      .windows, "\(place): totals or window are not those of the members")
    let isMixed = alive.contains { $0.category != window.category }
    try require(
      digest.category == (isMixed ? nil : window.category), .windows,
      "\(place): its category is \(digest.category ?? "one of several"), of \(Set(alive.map(\.category)))")
    let items = window.selected.filter { ($0.expiry ?? Int64.max) > decision.time }
    try require(
      digest.items.map(\.id) == items.map(\.event), .order,
      "\(place): items \(digest.items.map(\.id)), expected \(items.map(\.event))")
    try require(
      digest.items.map(ItemFact.init) == items.map(\.item), .windows,
      "\(place): items \(digest.items.map(ItemFact.init)), expected \(items.map(\.item))")
    try require(
      digest.type == window.type && digest.priority == window.priority
        && digest.title == CatalogSpec.title(of: window.type), .windows,
      "\(place): it says \(digest.type), \(digest.priority), \(digest.title), and was opened by \(window.type), "
        + "\(window.priority)")
    try require(
      digest.catalog == window.catalog, .provenance,
      "\(place): catalog \(digest.catalog), opened with \(window.catalog)")
    let versions = facts.versions(
      of: decision.recipientKey, partition: commit.home, known: commit.before?.positions[2] ?? 0,
      end: commit.header.positions[2])
    guard let version = versions.first(where: { $0?.offset == digest.recipientRecord }) else {
      throw Violation(
        .provenance,
        "\(place): recipient record \(digest.recipientRecord.map(String.init) ?? "none") was not in force")
    }
    let address = digest.channel == .email ? version?.fact.email : nil
    try require(
      digest.channel != .email || address != nil, .provenance, "\(place): it goes to nobody")
    let defaults = CatalogSpec.deliveredDefaults(of: decision.tenant)
    try require(
      digest.address == address && digest.locale == version?.fact.locale ?? defaults?.locale
        && digest.timeZone == version?.fact.timeZone ?? defaults?.timeZone, .provenance,
      "\(place): goes to \(digest.address ?? "nobody"), the record says \(address ?? "nobody")")
  }

  /// Members that were too few for a digest: each is delivered by itself, as its own type and catalog say.
  private func checkSingles(
    _ ids: [String], _ alive: [Member], _ decision: DecisionRecord, _ commit: HomeCommit
  ) throws(Violation) {
    for (id, member) in zip(ids, alive) {
      let found = commit.deliveries.filter { $0.delivery.id == id }.map(\.delivery)
      // One that came again when its id was forgotten may be in the window twice.
      let copies = alive.count { $0.notification == member.notification }
      try require(
        found.count >= copies, .windows,
        "\(commit.place): \(found.count) deliveries of \(member.event), which is delivered singly")
      let isThere = found.contains { delivery in
        delivery.kind == .single && delivery.recipientKey == decision.recipientKey
          && delivery.items.map(ItemFact.init) == [member.item] && delivery.totalEvents == 1
          && delivery.totalActors == (member.item.actor == nil ? 0 : 1) && delivery.type == member.item.type
          && delivery.category == member.category && delivery.catalog == member.catalog
          && delivery.priority == member.priority && delivery.title == member.item.title
          && delivery.timeMilliseconds == decision.time
      }
      try require(
        isThere, .windows, "\(commit.place): delivery \(id) is not \(member.event) by itself")
    }
  }

  /// Windows that are not closed long after they were due.
  func checkOverdue(now: Int64, service: ServiceTracker) throws(Violation) {
    for home in open.indices {
      for window in open[home].values.sorted(by: { $0.id < $1.id }) {
        let bound =
          service.lateFrom(home, due: window.closing).map { $0 + 1000 }
          ?? service.unservedFrom(due: window.closing)
        try require(
          now <= bound, .windows,
          "home \(home): window \(window.id) of \(window.key) was due at \(window.due) and is open at \(now)")
      }
    }
  }
}
