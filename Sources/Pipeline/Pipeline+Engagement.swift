import Contract
import Policy

/// What recipients did with what they got, as facts (`docs/engagement.md`).
extension Pipeline {
  /// Takes an engagement record in: applies it at home, hands it on to its home, or rejects it.
  mutating func applyEngagement(_ record: PartitionRecord, now: Int64, using codecs: inout Codecs) {
    let engagement: Engagement
    do throws(Rejection) {
      engagement = try codecs.engagement.decode(record.content)
    } catch {
      return reject(record, error, using: &codecs)
    }
    let home = RecipientKey.home(
      tenant: engagement.tenant, recipient: engagement.recipient, count: configuration.partitionCount,
      scratch: &scratch)
    guard home == configuration.partition else {
      ledger.counters.forwarded += 1
      ledger.counters.forwards += 1
      return republish(record, to: .engagement, home: home, keepingHeaders: true)
    }
    ledger.counters.decided += 1
    ledger.engagements[engagement.kind.index] += 1
    let now = max(now, ledger.timerClock)
    switch engagement.kind {
    case .seen, .read, .clicked:
      note(engagement, inputMinute: max(ledger.inputClock, record.appended) / 60_000, now: now)
    case .unsubscribed: subscribe(engagement, until: .max, origin(of: record.content), now: now)
    case .resubscribed:
      if configuration.flaws.contains(.resubscriptionsIgnored) { return }
      subscribe(engagement, until: now, origin(of: record.content), now: now)
    case .complained:
      remember(Fact(.complained, key: key(.complained, of: engagement), until: .max))
    case .bounced:
      remember(
        Fact(
          .bounced, key: key(.bounced, of: engagement), until: .max,
          value: FactValue(EngagementMarks.hash(ofAddress: engagement.address))))
    }
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
    _ engagement: Engagement, until: Int64, _ origin: RecordOrigin?, now: Int64
  ) {
    replace(key(.unsubscribed, of: engagement, category: engagement.category), until, origin, now)
    // Whoever wants all categories again is not annoyed any more.
    guard until != Int64.max, engagement.category.equals(Engagement.everyCategory) else { return }
    let complaint = key(.complained, of: engagement)
    if fact(complaint, at: FactClocks(input: ledger.inputClock, timer: now)) != nil {
      remember(Fact(.complained, key: complaint, until: until))
    }
  }

  private mutating func replace(
    _ key: Hash128, _ until: Int64, _ origin: RecordOrigin?, _ now: Int64
  ) {
    let before = fact(key, at: FactClocks(input: ledger.inputClock, timer: now))
    if let origin, origin.isOlder(than: before?.value.origin) { return }
    guard before != nil || until == Int64.max else { return }
    remember(Fact(.unsubscribed, key: key, until: until, value: FactValue(origin)))
  }

  // MARK: - Seen

  /// Remembers what was seen for the dedup horizon, and takes it out of the windows where it waits to be left out.
  private mutating func note(_ engagement: Engagement, inputMinute: Int64, now: Int64) {
    if !configuration.flaws.contains(.sightsForgotten) {
      for notification in engagement.notifications {
        // As long as the id of an event that came in this minute.
        remember(
          Fact(
            .seen, key: FactKey.seen(notification),
            until: (inputMinute + ids.horizonMinutes + 1) * 60_000))
      }
    }
    if configuration.flaws.contains(.seenMembersStay) { return }
    let seen = Set(engagement.notifications)
    let cause = WithdrawalCause(
      outcome: .suppressed(.seen), source: engagement.source, event: engagement.id, now: now)
    for slot in waitingWindows(of: recipientKey(engagement.tenant, engagement.recipient), at: now) {
      withdraw(from: slot, cause) { $0.skipIfSeen && seen.contains($0.notification) }
    }
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
