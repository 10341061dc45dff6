import Contract

/// Invariants 3 and 4: at most one digest per window id, across crashes, fencing and replay; none before it is due, and
/// none late. In a digest, items are in the order of the home partition; per recipient and digest key, digests are in
/// window order.
struct WindowChecker {
  private struct Member {
    var notification: String
    var event: String
    var actor: String?
    var expiry: Int64?
    var collapseKey: String?
    var time: Int64?
    /// Whether the digest carries it in full.
    var isInFull = true
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
    var due: Int64
    var itemLimit: Int
    var catalog: String
    var members: [Member] = []
  }

  let catalogs: [CatalogSpec]
  let memberLimit: Int
  /// Open windows by home and id.
  private var open: [[String: Window]]
  /// The open window of a key.
  private var current: [[String: String]]
  private var withdrawn: [[Withdrawn]]
  private var used: Set<String> = []
  private var lastOpened: [String: Int64] = [:]

  init(partitionCount: Int, catalogs: [CatalogSpec], memberLimit: Int) {
    self.catalogs = catalogs
    self.memberLimit = memberLimit
    open = Array(repeating: [:], count: partitionCount)
    current = Array(repeating: [:], count: partitionCount)
    withdrawn = Array(repeating: [], count: partitionCount)
  }

  /// The windows that are open and due at an instant.
  func overdueCount(at instant: Int64) -> Int {
    open.reduce(0) { count, windows in count + windows.values.count { $0.due <= instant } }
  }

  // MARK: - Arrivals

  /// Takes the outcomes of an arrival.
  mutating func take(
    _ arrival: DecisionRecord.Arrival, _ decision: DecisionRecord, _ fact: EventFact, _ commit: HomeCommit,
    facts: InputFacts
  ) throws(Violation) {
    try checkWithdrawn(arrival, decision, fact, commit)
    for (channel, outcome) in arrival.channels {
      if outcome == .other("collapsed") {
        try checkCollapsed(arrival, on: channel, decision, fact, commit)
        continue
      }
      guard case .open(let id, let until) = outcome else { continue }
      guard let catalog = catalogs.first(where: { $0.version == arrival.catalog }),
        let type = catalog.type(named: fact.type), let rule = type.channel(channel)
      else { throw Violation(.onceOnly, "\(commit.place): \(fact.type) has no window on \(channel)") }
      // That the policy is a collecting one was checked with the decision.
      let versions = facts.versions(
        of: decision.recipientKey, partition: commit.home, known: commit.before?.positions[2] ?? 0,
        end: commit.header.positions[2])
      let question = WishQuestion(
        channel: channel, category: arrival.category, event: fact.narrowed(to: decision.recipient),
        type: type, rule: rule, time: decision.time)
      let rules = versions.map { (rule: question.effective($0?.fact), record: $0?.fact) }
        .filter { $0.rule.isCollecting && $0.rule.name == arrival.policies[channel] }
      // With several records that may count, the one of the window that it says it is in.
      let groups = Set(rules.map { $0.rule.group ?? arrival.category })
      let group =
        groups.first { current[commit.home]["\(channel) \($0) \(decision.recipientKey)"] == id }
        ?? groups.first { Self.id(decision, channel, $0, opened: decision.time) == id } ?? arrival.category
      let key = "\(channel) \(group) \(decision.recipientKey)"
      if current[commit.home][key] == nil {
        let expected = Self.id(decision, channel, group, opened: decision.time)
        let due = rules.filter { ($0.rule.group ?? arrival.category) == group }
          .map { question.due($0.rule, $0.record) }
        try require(
          due.contains(until), .windows,
          "\(commit.place): window \(id) of \(key) opens at \(decision.time) and is due at \(until), not \(due)"
        )
        try require(
          id == expected, .windows, "\(commit.place): window \(id) of \(key) should be \(expected)")
        try require(
          used.insert(id).inserted, .windows, "\(commit.place): window \(id) of \(key) opens a second time")
        current[commit.home][key] = id
        open[commit.home][id] = Window(
          id: id, key: key, opened: decision.time, due: until,
          itemLimit: rules.first { ($0.rule.group ?? arrival.category) == group }?.rule.items ?? 0,
          catalog: arrival.catalog
        )
      }
      guard current[commit.home][key] == id, var window = open[commit.home][id] else {
        throw Violation(
          .windows,
          "\(commit.place): \(fact.id) waits in window \(id) of \(key), which is not the open one "
            + "(\(current[commit.home][key] ?? "none"))")
      }
      // What is critical does not wait for a window that others made late. With several records that may count, it says
      // which one did.
      let dues =
        fact.isCritical && !rules.isEmpty
        ? rules.map { min(window.due, question.due($0.rule, $0.record)) } : [window.due]
      try require(
        dues.contains(until), .windows, "\(commit.place): window \(id) is due at \(until), not \(dues)")
      window.due = until
      try require(
        fact.collapseKey == nil || !window.members.contains { $0.collapseKey == fact.collapseKey }, .windows,
        "\(commit.place): \(fact.id) waits in window \(id) beside another of collapse key \(fact.collapseKey ?? "")"
      )
      window.members.append(
        Member(
          notification: arrival.notification, event: fact.id, actor: fact.actor, expiry: fact.expiry,
          collapseKey: fact.collapseKey, time: fact.time,
          isInFull: window.members.count { $0.isInFull } < window.itemLimit))
      // At the bound it closes early, but not at the instant of its opening.
      if window.members.count >= memberLimit {
        window.due = min(window.due, max(decision.time, window.opened + 1))
      }
      open[commit.home][id] = window
    }
  }

  private static func id(
    _ decision: DecisionRecord, _ channel: String, _ group: String, opened: Int64
  ) -> String {
    decision.tenant.withByteView { tenant in
      decision.recipient.withByteView { recipient in
        group.withByteView {
          WindowID.hash(
            tenant: tenant, recipient: recipient, channel: channel == "email" ? .email : .inapp,
            digestKey: $0,
            openedMilliseconds: opened
          ).hex
        }
      }
    }
  }

  // MARK: - Withdrawals

  /// Takes the decision about a notification that leaves its window.
  mutating func take(
    _ withdrawal: DecisionRecord.Withdrawal, _ decision: DecisionRecord, _ commit: HomeCommit
  ) throws(Violation) {
    guard var window = open[commit.home][withdrawal.window],
      let index = window.members.firstIndex(where: { $0.notification == withdrawal.notification })
    else {
      throw Violation(
        .windows,
        "\(commit.place): \(withdrawal.notification) leaves window \(withdrawal.window), in which it does not wait"
      )
    }
    withdrawn[commit.home].append(
      Withdrawn(
        window: window.id, member: window.members.remove(at: index), outcome: withdrawal.outcome,
        event: withdrawal.event))
    open[commit.home][withdrawal.window] = window
  }

  /// What left a window before an arrival left it because of this arrival, and all that had to leave did.
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
    for window in open[commit.home].values {
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
    let rule = catalogs.first { $0.version == arrival.catalog }?.type(named: fact.type)?.channel(channel)?
      .rule
    // In the ordinary window, or in that of quiet hours.
    let groups = [rule?.group ?? arrival.category, "quiet:\(arrival.category)"]
    let waiting = groups.compactMap { current[commit.home]["\(channel) \($0) \(decision.recipientKey)"] }
      .flatMap { open[commit.home][$0]?.members ?? [] }
    try require(
      fact.collapseKey != nil
        && waiting.contains { $0.collapseKey == fact.collapseKey && Self.isOlder(fact, than: $0) },
      .windows,
      "\(commit.place): \(fact.id) is collapsed on \(channel), but nothing newer waits in windows of \(groups)"
    )
  }

  private static func isOlder(_ fact: EventFact, than member: Member) -> Bool {
    guard let time = fact.time, let other = member.time else { return false }
    return time < other
  }

  /// At the end of a commit every withdrawal has its cause.
  func checkEnd(_ commit: HomeCommit) throws(Violation) {
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
      decision.time >= window.due, .windows,
      "\(commit.place): window \(window.id) closes at \(decision.time) by the timer clock, due at \(window.due)"
    )
    try require(
      commit.time + service.clockBound >= window.due, .windows,
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
    let alive = window.members.filter { ($0.expiry ?? Int64.max) > decision.time }
    let expired = window.members.filter { ($0.expiry ?? Int64.max) <= decision.time }
    try require(
      closure.members == alive.map(\.notification) && closure.expired == expired.map(\.notification)
        && closure.events == Int64(alive.count), .order,
      "\(commit.place): window \(window.id) of \(window.key) closes with \(closure.members.count) members and "
        + "\(closure.expired.count) expired, expected \(alive.map(\.event)) and \(expired.map(\.event))")
    let digests = commit.deliveries.filter { $0.delivery.id == window.id }.map(\.delivery)
    try require(
      digests.count == (alive.isEmpty ? 0 : 1) && (closure.delivery != nil) == !alive.isEmpty, .windows,
      "\(commit.place): \(digests.count) digests of window \(window.id) with \(alive.count) members")
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
        && digest.totalActors == Set(alive.compactMap(\.actor)).count,
      .windows, "\(place): totals or window are not those of the members")
    let items = window.members.filter { $0.isInFull && ($0.expiry ?? Int64.max) > decision.time }
    try require(
      digest.items.map(\.id) == items.map(\.event), .order,
      "\(place): items \(digest.items.map(\.id)), expected \(items.map(\.event))")
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
      digest.address == address && digest.locale == version?.fact.locale
        && digest.timeZone == version?.fact.timeZone, .provenance,
      "\(place): goes to \(digest.address ?? "nobody"), the record says \(address ?? "nobody")")
  }

  /// Windows that are not closed long after they were due.
  func checkOverdue(now: Int64, service: ServiceTracker) throws(Violation) {
    for home in open.indices {
      for window in open[home].values.sorted(by: { $0.id < $1.id }) {
        let bound =
          service.lateFrom(home, due: window.due).map { $0 + 1000 } ?? service.unservedFrom(due: window.due)
        try require(
          now <= bound, .windows,
          "home \(home): window \(window.id) of \(window.key) was due at \(window.due) and is open at \(now)")
      }
    }
  }
}
