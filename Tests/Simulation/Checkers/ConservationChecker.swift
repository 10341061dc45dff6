/// Invariant 1: the conservation law holds at every confirmed commit, and its counters are those that the committed
/// records themselves give.
struct ConservationChecker {
  private var counts: [StateHeader.Counts]

  init(partitionCount: Int) { counts = Array(repeating: StateHeader.Counts(), count: partitionCount) }

  mutating func check(_ commit: HomeCommit, facts: InputFacts) throws(Violation) {
    let header = commit.header.counts
    try require(
      header.difference == 0 && header.email.difference == 0 && header.inapp.difference == 0, .conservation,
      "\(commit.place): differences \(header.difference), email \(header.email.difference), "
        + "inapp \(header.inapp.difference)")
    var expected = counts[commit.home]
    for topic in InputFacts.Topic.allCases {
      expected.consumed += Int64(
        facts.records(topic, partition: commit.home, commit.consumed(topic)).count)
    }
    for decision in commit.decisions { Self.count(decision, into: &expected) }
    for record in facts.records(.recipients, partition: commit.home, commit.consumed(.recipients)) {
      guard case .recipient(let key, let fact) = record.kind else { continue }
      if home(of: key, facts.partitionCount) != commit.home {
        expected.forwarded += 1
      } else if fact == nil {
        expected.tombstones += 1
      } else {
        expected.decided += 1
      }
    }
    for record in facts.records(.engagement, partition: commit.home, commit.consumed(.engagement)) {
      guard case .engagement(let fact) = record.kind else { continue }
      if home(of: fact.key, facts.partitionCount) != commit.home {
        expected.forwarded += 1
      } else {
        expected.decided += 1
      }
    }
    for record in facts.records(.events, partition: commit.home, commit.consumed(.events)) {
      guard case .event(let fact) = record.kind else { continue }
      if !fact.isAtHome(commit.home, facts.partitionCount) { expected.forwarded += 1 }
    }
    for record in facts.records(.subscriptions, partition: commit.home, commit.consumed(.subscriptions)) {
      guard case .part(let audience, _, let members) = record.kind else { continue }
      if home(of: audience, facts.partitionCount) != commit.home {
        expected.forwarded += 1
      } else if members == nil {
        expected.tombstones += 1
      } else {
        expected.decided += 1
      }
    }
    for record in facts.records(.routed, partition: commit.home, commit.consumed(.routed)) {
      guard case .event(let fact) = record.kind, fact.audience != nil else { continue }
      expected.forwarded += 1
    }
    for topic in [InputFacts.Topic.events, .routed] {
      for record in facts.records(topic, partition: commit.home, commit.consumed(topic)) {
        guard case .event(let fact) = record.kind, fact.isFannedOut(in: commit.home, facts.partitionCount)
        else { continue }
        expected.fanOuts += 1
      }
    }
    expected.rejected += Int64(commit.rejected.count)
    expected.forwards += Int64(
      commit.routed.count + commit.recipients.count + commit.engagement.count + commit.subscriptions.count)
    try require(
      expected == header, .conservation,
      "\(commit.place): the counters are \(header), the records give \(expected)")
    counts[commit.home] = expected
  }

  private static func count(_ decision: DecisionRecord, into counts: inout StateHeader.Counts) {
    switch decision.kind {
    case .arrival(let arrival):
      counts.decided += 1
      for (channel, outcome) in arrival.channels {
        counts[channel].accepted += 1
        if arrival.policies[channel] == "catchUp" { counts[channel].caughtUp += 1 }
        switch outcome {
        case .open: counts[channel].open += 1
        case .delivered: counts[channel].delivered += 1
        case .expired: counts[channel].expired += 1
        case .suppressed("duplicate"): counts[channel].duplicate += 1
        case .suppressed("optedOut"): counts[channel].optedOut += 1
        case .suppressed("noAddress"): counts[channel].noAddress += 1
        case .suppressed("muted"): counts[channel].muted += 1
        case .suppressed("ownAction"): counts[channel].ownAction += 1
        case .suppressed("unsubscribed"): counts[channel].unsubscribed += 1
        case .suppressed("complained"): counts[channel].complained += 1
        case .suppressed("bounced"): counts[channel].bounced += 1
        case .suppressed("seen"): counts[channel].seen += 1
        case .other("retracted"): counts[channel].retracted += 1
        case .other("collapsed"): counts[channel].collapsed += 1
        case .suppressed, .other: break
        }
      }
    case .fanOut(let fanOut):
      // All others are forwarded to those who follow the audience.
      guard fanOut.outcome != "fannedOut" else { return }
      counts.decided += 1
      counts.forwarded -= 1
      counts.fanOuts -= 1
      if fanOut.outcome == "nobody" { counts.withoutFollowers += 1 } else { counts.repeatedFanOuts += 1 }
    case .withdrawal(let withdrawal):
      counts[withdrawal.channel].open -= 1
      switch withdrawal.outcome {
      case .other("retracted"): counts[withdrawal.channel].retracted += 1
      case .other("collapsed"): counts[withdrawal.channel].collapsed += 1
      case .suppressed("seen"): counts[withdrawal.channel].seen += 1
      default: break
      }
    case .closure(let closure):
      let (delivered, expired) = (Int64(closure.members.count), Int64(closure.expired.count))
      let suppressed = Int64(closure.suppressed.count)
      counts[closure.channel].open -= delivered + expired + suppressed
      if closure.reason == "noAddress" { counts[closure.channel].noAddress += suppressed }
      counts[closure.channel].delivered += delivered
      counts[closure.channel].expired += expired
    }
  }
}
