import Contract

/// Invariants 2, 7 and 9: every record that a commit consumed has exactly one outcome in the same transaction, the right
/// one, and there is nothing in the transaction besides. No two deliveries hold the same notification within the
/// dedup horizon; each names the catalog and the recipient's record that it was decided with.
struct DecisionChecker {
  /// What is remembered of a home.
  private struct Home {
    /// The minutes of the input clock between which a notification was seen first.
    var seen: [String: ClosedRange<Int64>] = [:]
    /// The minutes of the input clock between which a notification was taken back.
    var retracted: [String: ClosedRange<Int64>] = [:]
    /// The minutes of the input clock between which the recipient saw a notification last.
    var sights: [String: ClosedRange<Int64>] = [:]
    /// By recipient's key.
    var engagement: [String: EngagementModel] = [:]
    var decisions: UInt64 = 0
    var time: Int64 = 0
    /// How many records of the fan-out that is not finished are out.
    var fanOut: (offset: Int64, count: Int)?
    /// What was delivered at once, and until when it counts, by channel, category and recipient.
    var spent: [String: (count: Int, until: Int64)] = [:]
  }

  let horizonMinutes: Int64
  let catalogs: [CatalogSpec]
  private var homes: [Home]
  /// What the notifications' identities stand for.
  private var identities: [String: [String]] = [:]

  init(partitionCount: Int, horizonMinutes: Int64, catalogs: [CatalogSpec]) {
    self.horizonMinutes = horizonMinutes
    self.catalogs = catalogs
    homes = Array(repeating: Home(), count: partitionCount)
  }

  /// - Parameter arrival: called with each arrival that was decided, in order, and what was consumed for it.
  mutating func check(
    _ commit: HomeCommit, facts: InputFacts,
    each: (DecisionRecord, EventFact?, InputFact?) throws(Violation) -> Void
  ) throws(Violation) {
    try checkHandedOn(commit, facts)
    var left = commit.deliveries.indices.map { _ in true }
    // What is to be decided here, in the order of each topic.
    var expected: [ArraySlice<InputFact>] = [InputFacts.Topic.events, .routed].map { topic in
      ArraySlice(
        facts.records(topic, partition: commit.home, commit.consumed(topic)).filter { record in
          guard case .event(let fact) = record.kind, fact.audience == nil else { return false }
          return topic == .routed || fact.isAtHome(commit.home, facts.partitionCount)
        })
    }
    var clock = commit.before?.inputClock ?? 0
    for decision in commit.decisions {
      homes[commit.home].decisions += 1
      try require(
        decision.partition == commit.home && decision.number == homes[commit.home].decisions, .abort,
        "\(commit.place): decision \(decision.partition)-\(decision.number) follows "
          + "\(commit.home)-\(homes[commit.home].decisions - 1)")
      try require(
        decision.time >= homes[commit.home].time, .windows,
        "\(commit.place): decision \(decision.number) is from \(decision.time), before the last one")
      homes[commit.home].time = decision.time
      switch decision.kind {
      case .fanOut:
        // Whom it served, and whether that was all, is held against the audiences.
        try each(decision, nil, nil)
      case .withdrawal:
        // Whether it waited there, and why it no longer does, is held against the windows.
        try each(decision, nil, nil)
      case .closure(let closure):
        // Whether it is one digest, and the right one, is the question of invariant 3.
        // One each: a notification whose id was forgotten may have come again, and have its own delivery.
        for id in closure.singles + (closure.delivery.map { [$0] } ?? []) {
          let index = left.indices.first { left[$0] && commit.deliveries[$0].delivery.id == id }
          if let index { left[index] = false }
        }
        try each(decision, nil, nil)
      case .arrival(let arrival):
        let topic = arrival.topic.hasSuffix(".routed") ? 1 : 0
        guard let record = expected[topic].popFirst(), case .event(let fact) = record.kind else {
          throw Violation(
            .abort,
            "\(commit.place): a decision about \(arrival.topic) at \(arrival.offset), which is not consumed")
        }
        try require(
          record.offset == arrival.offset, .onceOnly,
          "\(commit.place): the decision after is about \(arrival.topic) at \(arrival.offset), "
            + "but \(record.offset) is next")
        clock = max(clock, record.appended)
        try check(arrival, decision, fact, record, clock: clock, commit, facts, &left)
        try each(decision, fact, record)
      }
    }
    for (topic, rest) in expected.enumerated() {
      guard let first = rest.first else { continue }
      throw Violation(
        .onceOnly,
        "\(commit.place): \(InputFacts.Topic.allCases[topic].name) at \(first.offset) is consumed, but not decided"
      )
    }
    try require(
      commit.header.decisions == homes[commit.home].decisions, .abort,
      "\(commit.place): the header counts \(commit.header.decisions) decisions, there are "
        + "\(homes[commit.home].decisions)")
    for (index, isLeft) in left.enumerated() where isLeft {
      throw Violation(
        .abort, "\(commit.place): delivery \(commit.deliveries[index].delivery.id) has no decision")
    }
    try checkInputClock(commit, facts)
    takeEngagement(commit, facts)
  }

  // MARK: - Engagement

  /// What this commit has consumed of a recipient's engagement, in order.
  private func engagement(of key: String?, _ commit: HomeCommit, _ facts: InputFacts) -> [EngagementFact] {
    facts.records(.engagement, partition: commit.home, commit.consumed(.engagement)).compactMap { record in
      guard case .engagement(let fact) = record.kind, key == nil || fact.key == key,
        home(of: fact.key, facts.partitionCount) == commit.home
      else { return nil }
      return fact
    }
  }

  private mutating func takeEngagement(_ commit: HomeCommit, _ facts: InputFacts) {
    let minutes = (commit.before?.inputClock ?? 0) / 60_000...commit.header.inputClock / 60_000
    for fact in engagement(of: nil, commit, facts) {
      homes[commit.home].engagement[fact.key, default: EngagementModel()].apply(fact)
      guard fact.isSight else { continue }
      for notification in fact.notifications { homes[commit.home].sights[notification] = minutes }
    }
  }

  /// All that an arrival in this commit may have been decided with.
  private func circumstances(
    _ versions: [(offset: Int64, fact: RecipientFact)?], of notification: String, _ key: String,
    _ minutes: ClosedRange<Int64>, _ commit: HomeCommit, _ facts: InputFacts
  ) -> [Circumstances] {
    var model = homes[commit.home].engagement[key] ?? EngagementModel()
    var models = [model]
    let known = isWithin(homes[commit.home].sights[notification], minutes)
    var sights = known.map { [$0] } ?? [false, true]
    for fact in engagement(of: key, commit, facts) {
      model.apply(fact)
      if model != models.last { models.append(model) }
      if fact.isSight, fact.notifications.contains(notification) { sights = [false, true] }
    }
    return versions.flatMap { version in
      models.flatMap { model in
        sights.map { Circumstances(record: version, engagement: model, isSeen: $0) }
      }
    }
  }

  // MARK: - Arrivals

  private mutating func check(
    _ arrival: DecisionRecord.Arrival, _ decision: DecisionRecord, _ fact: EventFact, _ record: InputFact,
    clock: Int64, _ commit: HomeCommit, _ facts: InputFacts, _ left: inout [Bool]
  ) throws(Violation) {
    let place = "\(commit.place), \(arrival.topic) at \(arrival.offset)"
    let recipient = fact.recipients[0]
    let notification = fact.notification(for: recipient)
    try require(
      arrival.notification == notification && arrival.event == fact.id && arrival.source == fact.source
        && decision.recipient == recipient
        && decision.tenant == fact.tenant && arrival.type == fact.type,
      .onceOnly, "\(place): the decision names \(arrival.event) for \(decision.recipient), not \(fact.id)")
    let identity = fact.identity(for: recipient)
    let known = identities.updateValue(identity, forKey: notification) ?? identity
    try require(
      known == identity, .onceOnly, "\(place): \(notification) is the identity of \(known) and of \(identity)"
    )
    guard let catalog = catalogs.first(where: { $0.version == arrival.catalog }),
      let type = catalog.type(named: fact.type)
    else { throw Violation(.provenance, "\(place): catalog \(arrival.catalog) is none of this run") }
    // Between records of several topics the order is not in the log: the clock may have been anywhere in between.
    let minutes = clock / 60_000...commit.header.inputClock / 60_000
    let isDuplicate = try checkDuplicate(
      arrival, notification, minutes: minutes, home: commit.home, place)
    if !isDuplicate, let other = fact.retractedNotification(for: recipient) {
      homes[commit.home].retracted[other] = minutes
    }
    let isRetracted = isWithin(homes[commit.home].retracted[notification], minutes)
    let isCommand = fact.retracts != nil && type.isSilent
    let key = fact.key(of: recipient)
    let versions = facts.versions(
      of: key, partition: commit.home, known: commit.before?.positions[2] ?? 0,
      end: commit.header.positions[2]
    ).filter { isDuplicate || $0?.offset == arrival.recipientRecord }
    try require(
      !versions.isEmpty, .provenance,
      "\(place): the decision names recipient record \(arrival.recipientRecord.map(String.init) ?? "none")")
    for name in ["email", "inapp"] {
      let actual = arrival.channels.first { $0.name == name }?.outcome
      guard let rule = isCommand ? nil : type.channel(name) else {
        try require(actual == nil, .onceOnly, "\(place): \(name) is not a channel of \(fact.type)")
        continue
      }
      guard let actual else { throw Violation(.onceOnly, "\(place): no outcome on \(name)") }
      if isDuplicate {
        try require(
          actual == .suppressed("duplicate"), .onceOnly, "\(place): \(name) of a duplicate is \(actual)")
        continue
      }
      if let isRetracted {
        try require(
          (actual == .other("retracted")) == isRetracted, .onceOnly,
          "\(place): \(name) of \(fact.id) is \(actual), taken back before: \(isRetracted)")
      }
      if actual == .other("retracted") { continue }
      try check(
        actual, on: name, rule, type,
        Subject(
          fact: fact, record: record,
          circumstances: circumstances(versions, of: notification, key, minutes, commit, facts),
          notification: notification, catalog: catalog, tenant: catalog.tenants[fact.tenant]),
        decision, arrival, commit, place, &left)
    }
  }

  /// One arrival and what it is decided with.
  private struct Subject {
    var fact: EventFact
    var record: InputFact
    var circumstances: [Circumstances]
    var notification: String
    var catalog: CatalogSpec
    /// The defaults of the tenant.
    var tenant: RecipientFact?
  }

  /// Whether what happened in some minute is within the horizon in another; nil where both may be true.
  private func isWithin(_ seen: ClosedRange<Int64>?, _ minutes: ClosedRange<Int64>) -> Bool? {
    guard let seen else { return false }
    if minutes.upperBound - seen.lowerBound <= horizonMinutes { return true }
    return minutes.lowerBound - seen.upperBound > horizonMinutes ? false : nil
  }

  private mutating func checkDuplicate(
    _ arrival: DecisionRecord.Arrival, _ notification: String, minutes: ClosedRange<Int64>, home: Int,
    _ place: String
  ) throws(Violation) -> Bool {
    if let seen = homes[home].seen[notification] {
      let isSurely = minutes.upperBound - seen.lowerBound <= horizonMinutes
      let isSurelyNot = minutes.lowerBound - seen.upperBound > horizonMinutes
      if isSurely {
        try require(
          arrival.isDuplicate, .onceOnly,
          "\(place): \(arrival.event) was decided in minute \(seen), and again in \(minutes)")
      }
      if isSurelyNot {
        try require(
          !arrival.isDuplicate, .onceOnly,
          "\(place): \(arrival.event) counts as a duplicate in minute \(minutes), but was decided in \(seen)")
      }
    } else {
      try require(
        !arrival.isDuplicate, .onceOnly, "\(place): \(arrival.event) counts as a duplicate and is the first")
    }
    if !arrival.isDuplicate { homes[home].seen[notification] = minutes }
    return arrival.isDuplicate
  }

  private mutating func check(
    _ actual: DecisionRecord.Outcome, on channel: String, _ rule: CatalogSpec.ChannelSpec,
    _ type: CatalogSpec.TypeSpec, _ subject: Subject, _ decision: DecisionRecord,
    _ arrival: DecisionRecord.Arrival, _ commit: HomeCommit, _ place: String, _ left: inout [Bool]
  ) throws(Violation) {
    let isExpired = subject.fact.expiry.map { $0 <= decision.time } ?? false
    try require(
      (actual == .expired) == isExpired, .onceOnly, "\(place): \(channel) is \(actual), expired: \(isExpired)"
    )
    if isExpired { return }
    let category = subject.fact.category ?? type.category
    try require(
      arrival.category == category, .onceOnly, "\(place): category \(arrival.category), not \(category)")
    let question = WishQuestion(
      channel: channel, category: category, event: subject.fact.narrowed(to: decision.recipient), type: type,
      rule: rule, tenant: subject.tenant,
      budget: subject.catalog.budgets[channel], catchUp: subject.catalog.catchUps[channel],
      time: decision.time, age: decision.time - subject.record.firstAppended)
    if case .suppressed(let reason) = actual {
      try require(
        subject.circumstances.contains { question.refusal($0) == reason }, .onceOnly,
        "\(place): \(channel) is suppressed (\(reason)), which no record of the recipient says")
      return
    }
    try require(
      subject.circumstances.contains { question.refusal($0) == nil }, .onceOnly,
      "\(place): \(channel) is \(actual), although \(question.refusal(subject.circumstances[0]) ?? "")")
    // The rules that count by the records that do not refuse.
    let policy = arrival.policies[channel]
    let rules = subject.circumstances.filter { question.refusal($0) == nil }
      .map { question.effective($0.record?.fact, by: policy) }
    try checkThrottle(actual, on: channel, question, policy, decision, home: commit.home, place)
    switch actual {
    case .open where rules.contains { $0.isCollecting && $0.name == policy }: return
    // Whether something newer waits is held against the windows.
    case .other("collapsed") where rules.contains { $0.isCollecting }: return
    case .delivered(let id) where rules.contains { rule.isAtOnce($0) && $0.name == policy }:
      guard
        let index = commit.deliveries.indices.first(where: {
          left[$0] && commit.deliveries[$0].delivery.id == id
            && commit.deliveries[$0].delivery.channel.name == channel
        })
      else { throw Violation(.onceOnly, "\(place): delivery \(id) is decided, but not in the transaction") }
      left[index] = false
      try checkSingle(commit.deliveries[index].delivery, subject, decision, arrival, place)
      let delivery = commit.deliveries[index].delivery
      let known = subject.circumstances.filter { $0.record?.offset == delivery.recipientRecord }
      guard let first = known.first else {
        throw Violation(
          .provenance,
          "\(place): delivery \(id) names recipient record "
            + "\(commit.deliveries[index].delivery.recipientRecord.map(String.init) ?? "none")")
      }
      try require(
        known.contains { question.refusal($0) == nil }
          && rule.isAtOnce(question.effective(first.record?.fact)), .provenance,
        "\(place): delivery \(id) is "
          + "\(question.refusal(first) ?? question.effective(first.record?.fact).name) by its record")
      try checkAddress(delivery, first.record?.fact, place)
    default:
      throw Violation(
        .onceOnly,
        "\(place): \(channel) is \(actual) by the policy \(policy ?? "none") under \(rules.map(\.name))")
    }
  }

  /// What is delivered at once counts for its throttle and is within it, and what is held back by it is beyond. What is
  /// critical is neither.
  private mutating func checkThrottle(
    _ actual: DecisionRecord.Outcome, on channel: String, _ question: WishQuestion, _ policy: String?,
    _ decision: DecisionRecord, home: Int, _ place: String
  ) throws(Violation) {
    guard let limit = question.rule.throttle, !question.event.isCritical else {
      return try require(policy != "throttle", .onceOnly, "\(place): \(channel) is throttled by nothing")
    }
    let key = "\(channel) \(question.category) \(decision.recipientKey)"
    var spent = homes[home].spent[key] ?? (0, Int64.min)
    if spent.until <= decision.time { spent = (0, decision.time + limit.period) }
    let state = "\(place): \(key) has had \(spent.count) of \(limit.count) at once"
    if case .delivered = actual, policy == "immediate" {
      try require(spent.count < limit.count, .onceOnly, "\(state), and one more")
      spent.count += 1
      homes[home].spent[key] = spent
    } else if policy == "throttle" {
      try require(spent.count >= limit.count, .onceOnly, "\(state), and the next is held back")
    } else if policy == "budget" {
      try require(spent.count < limit.count, .onceOnly, "\(state), and the budget holds the next back")
    }
  }

  private func checkSingle(
    _ delivery: Delivery, _ subject: Subject, _ decision: DecisionRecord, _ arrival: DecisionRecord.Arrival,
    _ place: String
  ) throws(Violation) {
    try require(
      delivery.kind == .single && delivery.totalEvents == 1 && delivery.items.count == 1
        && delivery.recipient == decision.recipient && delivery.tenant == decision.tenant
        && delivery.timeMilliseconds == decision.time
        && delivery.items.map(ItemFact.init) == [ItemFact(subject.fact, accepted: subject.record.appended)],
      .onceOnly, "\(place): delivery \(delivery.id) does not hold the event")
    try require(
      delivery.category == arrival.category && delivery.type == subject.fact.type
        && delivery.priority == (subject.fact.isCritical ? .critical : .normal)
        && delivery.title == CatalogSpec.title(of: subject.fact.type)
        && delivery.totalActors == (subject.fact.actor == nil ? 0 : 1),
      .onceOnly, "\(place): delivery \(delivery.id) does not say what the event and its type do")
    try require(
      delivery.catalog == arrival.catalog, .provenance,
      "\(place): delivery \(delivery.id) names catalog \(delivery.catalog), the decision \(arrival.catalog)")
  }

  private func checkAddress(_ delivery: Delivery, _ fact: RecipientFact?, _ place: String) throws(Violation) {
    let address = delivery.channel == .email ? fact?.email : nil
    let defaults = CatalogSpec.deliveredDefaults(of: delivery.tenant)
    try require(
      delivery.address == address && delivery.locale == fact?.locale ?? defaults?.locale
        && delivery.timeZone == fact?.timeZone ?? defaults?.timeZone, .provenance,
      "\(place): delivery \(delivery.id) goes to \(delivery.address ?? "nobody"), the record says \(address ?? "nobody")"
    )
  }

  // MARK: - Handed on

  /// What is forwarded, republished and rejected: each record once, where it belongs.
  private mutating func checkHandedOn(_ commit: HomeCommit, _ facts: InputFacts) throws(Violation) {
    // Those of fan-outs to audiences are the matter of another checker.
    var routed = commit.routed.filter { $0.header("tidings-audience") == nil }
    var rejected = commit.rejected[...]
    var republished = commit.recipients[...]
    var engaged = commit.engagement
    var parts = commit.subscriptions[...]
    let events = facts.records(.events, partition: commit.home, commit.consumed(.events))
    for record in events {
      switch record.kind {
      case .event(let fact):
        guard !fact.isAtHome(commit.home, facts.partitionCount),
          !fact.isFannedOut(in: commit.home, facts.partitionCount)
        else { continue }
        if let audience = fact.audience {
          try checkForward(fact, audience, record, &routed, commit)
        } else {
          try checkForwards(fact, record, &routed, commit)
        }
      case .broken: break
      case .recipient, .engagement, .part: continue
      }
    }
    // A fan-out that goes on with the next transaction: its first part.
    if commit.header.fanOut.topic == 0,
      let record = facts.record(.events, partition: commit.home, at: commit.header.fanOut.offset),
      case .event(let fact) = record.kind
    {
      let begun =
        homes[commit.home].fanOut?.offset == record.offset ? homes[commit.home].fanOut?.count ?? 0 : 0
      for recipient in fact.recipients[begun..<min(Int(commit.header.fanOut.next), fact.recipients.count)] {
        try checkForward(fact, recipient, record, &routed, commit)
      }
      homes[commit.home].fanOut = (record.offset, Int(commit.header.fanOut.next))
    } else {
      homes[commit.home].fanOut = nil
    }
    if let extra = routed.first {
      throw Violation(.abort, "\(commit.place): \(extra.place) was forwarded without a record")
    }
    for topic in InputFacts.Topic.allCases {
      for record in facts.records(topic, partition: commit.home, commit.consumed(topic)) {
        switch record.kind {
        case .broken:
          let index = rejected.firstIndex {
            $0.origin?.offset == record.offset && $0.origin?.topic.hasSuffix(".\(topic.name)") ?? false
          }
          guard let index else {
            throw Violation(
              .onceOnly, "\(commit.place): \(topic.name) at \(record.offset) is broken, and not in rejected")
          }
          rejected.remove(at: index)
        case .recipient(let key, _):
          guard home(of: key, facts.partitionCount) != commit.home else { continue }
          let sent = republished.popFirst()
          try require(
            sent?.partition == home(of: key, facts.partitionCount)
              && sent?.header("tidings-origin-offset") == "\(record.offset)",
            .onceOnly, "\(commit.place): the recipient at \(record.offset) is not republished at home")
        case .engagement(let fact):
          let home = home(of: fact.key, facts.partitionCount)
          guard home != commit.home else { continue }
          // In the order in which they were read, at each home.
          let place = engaged.firstIndex { $0.partition == home }
          try require(
            place.map { engaged[$0].origin?.offset } == record.offset, .onceOnly,
            "\(commit.place): the engagement record at \(record.offset) is not republished at home")
          if let place { engaged.remove(at: place) }
        case .part(let audience, let part, _):
          guard home(of: audience, facts.partitionCount) != commit.home else { continue }
          let sent = parts.popFirst()
          try require(
            sent?.partition == home(of: audience, facts.partitionCount)
              && sent?.record.key?.string == partKey(audience, part)
              && sent?.header("tidings-origin-offset") == "\(record.offset)",
            .onceOnly, "\(commit.place): the part at \(record.offset) is not republished at home")
        case .event: break
        }
      }
    }
    if let extra = rejected.first ?? republished.first ?? engaged.first ?? parts.first {
      throw Violation(.abort, "\(commit.place): \(extra.place) has no record that it was made from")
    }
  }

  private func checkForwards(
    _ fact: EventFact, _ record: InputFact, _ routed: inout [CommittedRecord],
    _ commit: HomeCommit
  ) throws(Violation) {
    let begun = homes[commit.home].fanOut?.offset == record.offset ? homes[commit.home].fanOut?.count ?? 0 : 0
    for recipient in fact.recipients[begun...] {
      try checkForward(fact, recipient, record, &routed, commit)
    }
  }

  private func checkForward(
    _ fact: EventFact, _ recipient: String, _ record: InputFact, _ routed: inout [CommittedRecord],
    _ commit: HomeCommit
  ) throws(Violation) {
    let index = routed.firstIndex {
      $0.origin?.offset == record.offset
        && $0.header(fact.audience == nil ? "ce_recipient" : "ce_audience") == recipient
    }
    guard let index else {
      throw Violation(
        .onceOnly, "\(commit.place): events at \(record.offset) is not forwarded to \(recipient)")
    }
    let sent = routed.remove(at: index)
    let key = fact.key(of: recipient)
    try require(
      sent.header("ce_id") == fact.id
        && sent.header("ce_actor") == fact.actor && sent.header("ce_subject") == fact.subject
        && sent.record.key?.string == key
        && sent.partition == home(of: key, homes.count),
      .onceOnly, "\(commit.place): \(sent.place) is not events at \(record.offset) for \(recipient)")
  }

  /// The input clock is the highest append time consumed.
  private func checkInputClock(_ commit: HomeCommit, _ facts: InputFacts) throws(Violation) {
    var clock = commit.before?.inputClock ?? 0
    for topic in InputFacts.Topic.allCases {
      for record in facts.records(topic, partition: commit.home, commit.consumed(topic)) {
        clock = max(clock, record.appended)
      }
    }
    if commit.header.fanOut.topic == 0,
      let record = facts.record(.events, partition: commit.home, at: commit.header.fanOut.offset)
    {
      clock = max(clock, record.appended)
    }
    try require(
      clock == commit.header.inputClock, .offsets,
      "\(commit.place): the input clock is \(commit.header.inputClock), the records say \(clock)")
  }
}
