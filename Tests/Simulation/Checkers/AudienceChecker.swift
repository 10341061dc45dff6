import Contract

/// Invariant 2 for audiences: an event for an audience is fanned out once; whoever was in the audience all the time is
/// served once, whoever was in it at some time at most once, and nobody else. Fan-outs come to an end, and there are no
/// more of them at a time than allowed.
struct AudienceChecker {
  private struct FanOut {
    var fact: EventFact
    /// The position in subscriptions before it was taken in.
    var from: Int64
    var served: Set<String> = []
  }

  private struct Place: Hashable {
    var topic: String
    var offset: Int64
  }

  private struct Home {
    var pending: [Place: FanOut] = [:]
    /// The minutes of the input clock between which an event for an audience was seen first.
    var seen: [String: ClosedRange<Int64>] = [:]
  }

  private let horizonMinutes: Int64
  private let limit: Int
  private var homes: [Home]

  init(partitionCount: Int, horizonMinutes: Int64, limit: Int) {
    self.horizonMinutes = horizonMinutes
    self.limit = limit
    homes = Array(repeating: Home(), count: partitionCount)
  }

  /// The fan-outs that are not finished, in words; empty where all are.
  var pending: [String] {
    homes.indices.flatMap { home in
      homes[home].pending.map { place, fanOut in
        "\(fanOut.fact.id) to \(fanOut.fact.audience ?? "") in home \(home) (\(place.topic) at \(place.offset), "
          + "\(fanOut.served.count) served)"
      }
    }.sorted()
  }

  mutating func check(_ commit: HomeCommit, facts: InputFacts) throws(Violation) {
    var ends: [Place: DecisionRecord.FanOut] = [:]
    for decision in commit.decisions {
      guard case .fanOut(let fanOut) = decision.kind else { continue }
      let topic = fanOut.topic.split(separator: ".").last.map(String.init) ?? ""
      try require(
        ends.updateValue(fanOut, forKey: Place(topic: topic, offset: fanOut.offset)) == nil, .onceOnly,
        "\(commit.place): \(fanOut.topic) at \(fanOut.offset) has two decisions")
    }
    try begin(commit, facts, &ends)
    try checkForwards(commit, facts)
    for (place, end) in ends { try finish(place, end, commit, facts) }
    try require(
      homes[commit.home].pending.count <= limit, .bounds,
      "\(commit.place): \(homes[commit.home].pending.count) fan-outs are under way, \(limit) are allowed")
  }

  // MARK: - Begin

  private mutating func begin(
    _ commit: HomeCommit, _ facts: InputFacts, _ ends: inout [Place: DecisionRecord.FanOut]
  ) throws(Violation) {
    let minutes = (commit.before?.inputClock ?? 0) / 60_000...commit.header.inputClock / 60_000
    var taken: [(place: Place, record: InputFact, fact: EventFact)] = []
    for topic in [InputFacts.Topic.events, .routed] {
      for record in facts.records(topic, partition: commit.home, commit.consumed(topic)) {
        guard case .event(let fact) = record.kind, fact.isFannedOut(in: commit.home, facts.partitionCount)
        else { continue }
        taken.append((Place(topic: topic.name, offset: record.offset), record, fact))
      }
    }
    // In which order the records of two topics were taken in is not in the log: repeats come behind the first.
    for isRepeat in [false, true] {
      for (place, record, fact) in taken where (ends[place]?.outcome == "duplicate") == isRepeat {
        let end = ends[place]
        let what =
          "\(commit.place): \(fact.id) for \(fact.audience ?? "") (\(place.topic) at \(place.offset))"
        try require(
          end.map { $0.event == fact.id && $0.audience == fact.audience && $0.source == fact.source } ?? true,
          .onceOnly, "\(what) is decided as \(end?.event ?? "") for \(end?.audience ?? "")")
        let own = max(minutes.lowerBound, record.appended / 60_000)...minutes.upperBound
        let isUnderWay = homes[commit.home].pending.contains {
          ends[$0.key] == nil && $0.value.fact.isSame(as: fact)
        }
        let isEnding = homes[commit.home].pending.contains {
          ends[$0.key] != nil && $0.value.fact.isSame(as: fact)
        }
        if isUnderWay {
          try require(isRepeat, .onceOnly, "\(what) begins again while it is under way")
        } else if !isRepeat || !isEnding {
          try checkRepeat(fact, isRepeat, own, commit.home, what)
        }
        if isRepeat {
          ends[place] = nil
          continue
        }
        let from = commit.before?.positions[InputFacts.Topic.subscriptions.rawValue] ?? 0
        if end?.outcome == "nobody" {
          ends[place] = nil
          let versions = self.versions(of: fact, commit, facts, from: from)
          try require(
            versions.contains { $0.members.isEmpty && $0.isKnown == (end?.reason == "emptyAudience") },
            .onceOnly,
            "\(what) is for nobody (\(end?.reason ?? "")), although the audience is \(versions)")
          continue
        }
        homes[commit.home].pending[place] = FanOut(fact: fact, from: from)
      }
    }
  }

  private mutating func checkRepeat(
    _ fact: EventFact, _ isRepeat: Bool, _ minutes: ClosedRange<Int64>, _ home: Int, _ what: String
  ) throws(Violation) {
    let id = "\(fact.key(of: fact.audience ?? "")) \(fact.source) \(fact.id)"
    if let seen = homes[home].seen[id] {
      if minutes.upperBound - seen.lowerBound <= horizonMinutes {
        try require(
          isRepeat, .onceOnly, "\(what) was taken in in minute \(seen), and again in \(minutes)")
      } else if minutes.lowerBound - seen.upperBound > horizonMinutes {
        try require(
          !isRepeat, .onceOnly, "\(what) counts as a duplicate in minute \(minutes), seen in \(seen)")
      }
    } else {
      try require(!isRepeat, .onceOnly, "\(what) counts as a duplicate, and is the first")
    }
    if !isRepeat { homes[home].seen[id] = minutes }
  }

  // MARK: - Go on

  private mutating func checkForwards(_ commit: HomeCommit, _ facts: InputFacts) throws(Violation) {
    var ever: [Place: Set<String>] = [:]
    for sent in commit.routed {
      guard let audience = sent.header("tidings-audience") else { continue }
      guard let origin = sent.origin, let recipient = sent.header("ce_recipient") else {
        throw Violation(.onceOnly, "\(commit.place): \(sent.place) says neither whence nor for whom")
      }
      let topic = origin.topic.split(separator: ".").last.map(String.init) ?? ""
      let place = Place(topic: topic, offset: origin.offset)
      guard let fanOut = homes[commit.home].pending[place] else {
        throw Violation(.onceOnly, "\(commit.place): \(sent.place) belongs to no fan-out that is under way")
      }
      let fact = fanOut.fact
      let key = fact.key(of: recipient)
      try require(
        sent.header("ce_id") == fact.id && sent.header("ce_source") == fact.source
          && sent.header("ce_type") == fact.type && sent.header("ce_actor") == fact.actor
          && sent.header("ce_subject") == fact.subject && sent.header("ce_retracts") == fact.retracts
          && audience == fact.audience && sent.record.key?.string == key
          && sent.partition == home(of: key, facts.partitionCount),
        .onceOnly, "\(commit.place): \(sent.place) is not \(fact.id) for \(recipient)")
      try require(
        homes[commit.home].pending[place]?.served.insert(recipient).inserted ?? false, .onceOnly,
        "\(commit.place): \(recipient) is served \(fact.id) for \(audience) a second time (\(sent.place))")
      if ever[place] == nil {
        ever[place] = versions(of: fact, commit, facts, from: fanOut.from).reduce(into: []) {
          $0.formUnion($1.members)
        }
      }
      try require(
        ever[place]?.contains(recipient) ?? false, .onceOnly,
        "\(commit.place): \(recipient) is served \(fact.id), and never followed \(audience) meanwhile")
    }
  }

  private mutating func finish(
    _ place: Place, _ end: DecisionRecord.FanOut, _ commit: HomeCommit, _ facts: InputFacts
  ) throws(Violation) {
    let what = "\(commit.place): the fan-out of \(end.event) to \(end.audience)"
    guard end.outcome == "fannedOut", let fanOut = homes[commit.home].pending.removeValue(forKey: place)
    else { throw Violation(.onceOnly, "\(what) ends (\(end.outcome)), and is not under way") }
    try require(
      end.event == fanOut.fact.id && end.recipients == Int64(fanOut.served.count), .onceOnly,
      "\(what) says that it served \(end.recipients ?? -1), it has served \(fanOut.served.count)")
    var throughout: Set<String>?
    for version in versions(of: fanOut.fact, commit, facts, from: fanOut.from) {
      throughout = throughout?.intersection(version.members) ?? version.members
    }
    let left = (throughout ?? []).subtracting(fanOut.served)
    try require(left.isEmpty, .onceOnly, "\(what) has left out \(left.sorted())")
  }

  // MARK: - Audiences

  /// What an audience was after each record from a position to that of the commit.
  private func versions(
    of fact: EventFact, _ commit: HomeCommit, _ facts: InputFacts, from: Int64
  ) -> [(isKnown: Bool, members: Set<String>)] {
    let key = fact.key(of: fact.audience ?? "")
    let end = commit.header.positions[InputFacts.Topic.subscriptions.rawValue]
    var parts: [String: Set<String>] = [:]
    var versions: [(isKnown: Bool, members: Set<String>)] = []
    func now() -> (isKnown: Bool, members: Set<String>) {
      (!parts.isEmpty, parts.values.reduce(into: []) { $0.formUnion($1) })
    }
    for record in facts.records(.subscriptions, partition: commit.home, 0..<max(end, 0)) {
      if record.offset >= from, versions.isEmpty { versions.append(now()) }
      guard case .part(key, let part, let members) = record.kind else { continue }
      parts[part] = members
      if record.offset >= from { versions.append(now()) }
    }
    return versions.isEmpty ? [now()] : versions
  }
}

extension EventFact {
  /// Whether it is the same event for the same audience.
  fileprivate func isSame(as other: EventFact) -> Bool {
    tenant == other.tenant && source == other.source && id == other.id && audience == other.audience
  }
}
