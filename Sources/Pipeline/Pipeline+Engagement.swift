import Contract
import Policy

/// What recipients did with what they got, as facts (`docs/engagement.md`).
extension Pipeline {
  /// Takes an engagement record in: applies it at home, hands it on to its home, or rejects it.
  ///
  /// - Returns: `.again` where it is about so many notifications that wait that the rest of them leave with the next
  ///   transaction.
  mutating func applyEngagement(
    _ record: PartitionRecord, now: Int64, using codecs: inout Codecs
  ) -> Progress {
    let engagement: Engagement
    do throws(Rejection) {
      engagement = try codecs.engagement.decode(record.content)
    } catch {
      reject(record, error, using: &codecs)
      return .done
    }
    let home = RecipientKey.home(
      tenant: engagement.tenant, recipient: engagement.recipient, count: configuration.partitionCount,
      scratch: &scratch)
    guard home == configuration.partition else {
      ledger.counters.forwarded += 1
      ledger.counters.forwards += 1
      republish(record, to: .engagement, home: home, keepingHeaders: true)
      return .done
    }
    let clocks = FactClocks(
      input: max(ledger.inputClock, record.appended), timer: max(now, ledger.timerClock))
    guard apply(engagement, origin(of: record.content), at: clocks) else { return .again }
    ledger.counters.decided += 1
    ledger.engagements[engagement.kind.index] += 1
    return .done
  }

  /// - Returns: whether all of it is done.
  private mutating func apply(
    _ engagement: Engagement, _ origin: RecordOrigin?, at clocks: FactClocks
  ) -> Bool {
    switch engagement.kind {
    case .seen, .read, .clicked: return note(engagement, at: clocks)
    case .unsubscribed: subscribe(engagement, isTakenBack: false, origin, at: clocks)
    case .resubscribed:
      if configuration.flaws.contains(.resubscriptionsIgnored) { return true }
      subscribe(engagement, isTakenBack: true, origin, at: clocks)
    case .complained:
      remember(Fact(.complained, key: key(.complained, of: engagement), until: .max))
    case .bounced:
      remember(
        Fact(
          .bounced, key: key(.bounced, of: engagement), until: .max,
          value: FactValue(EngagementMarks.hash(ofAddress: engagement.address))))
    }
    return true
  }

  private mutating func key(
    _ kind: FactKind, of engagement: Engagement, category: ByteView = .empty
  ) -> Hash128 {
    FactKey.engagement(
      kind, of: recipientKey(engagement.tenant, engagement.recipient), on: engagement.channel,
      category: category)
  }

  // MARK: - Unsubscribed

  /// Notes that a recipient has unsubscribed, or that they take it back: a fact that ends at once.
  private mutating func subscribe(
    _ engagement: Engagement, isTakenBack: Bool, _ origin: RecordOrigin?, at clocks: FactClocks
  ) {
    replace(engagement, isTakenBack: isTakenBack, origin, at: clocks)
    // Whoever wants all categories again is not annoyed any more.
    guard isTakenBack, engagement.category.equals(Engagement.everyCategory) else { return }
    let complaint = key(.complained, of: engagement)
    if fact(complaint, at: clocks) != nil {
      remember(Fact(.complained, key: complaint, until: clocks.timer))
    }
  }

  private mutating func replace(
    _ engagement: Engagement, isTakenBack: Bool, _ origin: RecordOrigin?, at clocks: FactClocks
  ) {
    let key = key(.unsubscribed, of: engagement, category: engagement.category)
    let before = fact(key, at: clocks)
    let mark = self.key(.resubscribed, of: engagement, category: engagement.category)
    if let origin {
      let takenBack = fact(mark, at: clocks)?.value.origin
      if origin.isOlder(than: before?.value.origin) || origin.isOlder(than: takenBack) { return }
    }
    guard before != nil || !isTakenBack else { return }
    let value = FactValue(origin)
    remember(Fact(.unsubscribed, key: key, until: isTakenBack ? clocks.timer : .max, value: value))
    // The fact that has ended is forgotten, and older records from there may come once more.
    if isTakenBack, origin != nil {
      remember(Fact(.resubscribed, key: mark, until: horizonEnd(clocks.input / 60_000), value: value))
    }
  }

  // MARK: - Seen

  /// Remembers what was seen for the dedup horizon, and takes it out of the windows where it waits to be left out.
  ///
  /// - Returns: whether all of it is out.
  private mutating func note(_ engagement: Engagement, at clocks: FactClocks) -> Bool {
    if !configuration.flaws.contains(.sightsForgotten) {
      let until = horizonEnd(clocks.input / 60_000)
      for notification in engagement.notifications {
        remember(Fact(.seen, key: FactKey.seen(notification), until: until))
      }
    }
    if configuration.flaws.contains(.seenMembersStay) { return true }
    let seen = Set(engagement.notifications)
    let cause = WithdrawalCause(
      outcome: .suppressed(.seen), source: engagement.source, event: engagement.id, now: clocks.timer)
    // Each decision repeats source and id, which may have 24 KiB in JSON: of all together, no record of the log has room.
    let bound = decisions.count + configuration.withdrawalBytes
    for slot in waitingWindows(of: recipientKey(engagement.tenant, engagement.recipient), at: clocks.timer) {
      let isDone = withdraw(from: slot, cause, upTo: bound) {
        $0.skipIfSeen && seen.contains($0.notification)
      }
      guard isDone else { return false }
    }
    return true
  }

  /// Whether a notification was seen before it came.
  @inline(__always)
  mutating func isSeen(_ notification: Hash128, at clocks: FactClocks) -> Bool {
    facts.count > 0 && fact(FactKey.seen(notification), at: clocks) != nil
  }

  // MARK: - At a decision

  /// What is known that matters for an arrival on a channel.
  @inline(__always)
  mutating func engagement(of arrival: Arrival, on rule: ChannelRule) -> EngagementMarks {
    facts.count > 0 ? knownEngagement(of: arrival, on: rule) : EngagementMarks()
  }

  private mutating func knownEngagement(of arrival: Arrival, on rule: ChannelRule) -> EngagementMarks {
    var marks = EngagementMarks()
    marks.isSeen = arrival.isSeen
    if rule.channel.needsAddress {
      marks.bounced = fact(.bounced, of: arrival, on: rule)?.value.number
      if marks.bounced != nil, configuration.flaws.contains(.bouncesOutliveAddresses) {
        marks.bounced = recipients.find(arrival.recipientKey)?.addressHash(on: rule.channel)
      }
    }
    guard !rule.mandatory else { return marks }
    marks.hasComplained = fact(.complained, of: arrival, on: rule) != nil
    let category =
      configuration.flaws.contains(.unsubscribedByType) ? arrival.event.type : arrival.category
    marks.isUnsubscribed =
      fact(.unsubscribed, of: arrival, on: rule, category) != nil
      || fact(.unsubscribed, of: arrival, on: rule, ByteView(Engagement.everyCategory)) != nil
    return marks
  }

  private mutating func fact(
    _ kind: FactKind, of arrival: Arrival, on rule: ChannelRule, _ category: ByteView = .empty
  ) -> Fact? {
    fact(
      FactKey.engagement(kind, of: arrival.recipientKey, on: rule.channel, category: category),
      at: FactClocks(input: ledger.inputClock, timer: arrival.now))
  }
}

extension Recipient {
  fileprivate func addressHash(on channel: Channel) -> UInt64? {
    RecipientProfileView(profile).address(for: channel).map { EngagementMarks.hash(ofAddress: $0) }
  }
}

extension FactValue {
  /// The place where a record was published away from home; no bytes for one that was published at home.
  fileprivate init(_ origin: RecordOrigin?) {
    guard let origin else {
      self.init()
      return
    }
    self.init(UInt64(bitPattern: origin.offset), UInt64(UInt32(bitPattern: origin.partition)))
  }

  fileprivate var origin: RecordOrigin? {
    guard count == 16 else { return nil }
    return RecordOrigin(
      partition: Int32(truncatingIfNeeded: secondNumber), offset: Int64(bitPattern: number))
  }
}
