import Contract
import Policy

/// The hashes by which a notification and its recipient are looked up.
struct ArrivalKeys {
  var notification: Hash128
  /// The hash of the recipient's key.
  var recipient: Hash128
}

/// A window that a notification is likely to be put into, and what its key was made of besides recipient and channel.
struct PlannedWindow: Equatable {
  var key: Hash128
  /// The catalog's digest key; nil where that is the category.
  var group: TextID?
}

/// An arrival: one event for one recipient, in the recipient's home. Its views are valid as long as the event.
struct Arrival {
  var event: EventView
  var recipient: ByteView
  var notification: Hash128
  /// The hash of the recipient's key.
  var recipientKey: Hash128
  /// Whether the recipient has seen it already.
  var isSeen: Bool
  /// Where the catalog has the rules of the event's type.
  var typeRules: UnsafePointer<TypeRules>
  var category: ByteView
  var appended: Int64
  /// When the event was appended where it was read first, which may have been another topic.
  var firstAppended: Int64
  var now: Int64
  /// By channel, where the catalog has windows whose keys name no fields of the event.
  var planned = ChannelValues<PlannedWindow>()

  /// The rules of the event's type.
  var rules: TypeRules {
    @inline(__always) get { typeRules.pointee }
  }

  /// The event's priority, else that of its type.
  var priority: Priority { event.priority ?? rules.priority }
}

extension Pipeline {
  /// Decides what becomes of an event for its one recipient, on every channel of its type.
  ///
  /// - Parameter type: the number of the event's type; nil where the catalog does not list it.
  mutating func decide(
    _ event: EventView, ofType type: Int?, _ keys: ArrivalKeys?, _ record: PartitionRecord, now: Int64,
    using codecs: inout Codecs
  ) {
    let recipient = event.recipient(at: 0)
    itemScratch.removeAll()
    let keys =
      keys
      ?? self.keys(
        of: EventIdentity(tenant: event.tenant, source: event.source, id: event.id, recipient: recipient))
    recipients.prefetchRow(keys.recipient)
    let notification = keys.notification
    let rules = catalog.rules(ofType: type)
    let category = event.category.isEmpty ? catalog.text(rules.pointee.category) : event.category
    let planned = planWindows(event, rules, category, recipient)
    let clocks = FactClocks(
      input: max(ledger.inputClock, record.appended), timer: max(now, ledger.timerClock))
    // A value that never changes: it is handed on by its address.
    let arrival = Arrival(
      event: event, recipient: recipient, notification: notification,
      recipientKey: keys.recipient, isSeen: isSeen(notification, at: clocks), typeRules: rules,
      category: category, appended: record.appended, firstAppended: record.firstAppended(of: event),
      now: clocks.timer, planned: planned)
    var minute = clocks.input / 60_000
    if configuration.flaws.contains(.dedupByWallClock) { minute = arrival.now / 60_000 }
    let insertion = ids.insert(
      notification, minute: minute,
      unlessSeenBefore: configuration.flaws.contains(.dedupHorizonShort) ? minute + 1 : minute,
      confirmedMinute: confirmedMinute)
    let isDuplicate = insertion == nil
    let retracted = isDuplicate || event.retracts.isEmpty ? nil : retract(arrival, inputMinute: minute)
    let isRetracted = !isDuplicate && isRetracted(notification, at: clocks)
    if let insertion {
      remember(insertion)
      for channel in Channel.allCases {
        if let window = planned[channel] { windows.prefetchWindow(window.key) }
      }
    }
    let profile = RecipientAddressing(
      isDuplicate ? nil : recipients.find(arrival.recipientKey),
      defaults: catalog.defaults(ofTenant: event.tenant))
    if !isDuplicate {
      for channel in Channel.allCases {
        if let window = planned[channel] { windows.prefetchBlock(window.key) }
      }
    }
    // What only takes another event back is no notification itself.
    let isCommand = !event.retracts.isEmpty && rules.pointee.retracting == .silent
    var outcomes = ChannelValues<ChannelOutcome>()
    var grounds = ChannelValues<DecisionGrounds>()
    for channel in Channel.allCases {
      guard !isCommand, let rule = rules.pointee.channels[channel] else { continue }
      let outcome: ChannelOutcome =
        isDuplicate
        ? .suppressed(.duplicate)
        : isRetracted ? .retracted : decide(arrival, by: rule, profile, &grounds[channel], &codecs)
      let isCounted = !isDuplicate || !configuration.flaws.contains(.duplicatesNotCounted)
      ledger.counters.accept(isCounted ? outcome : nil, on: channel)
      outcomes[channel] = outcome
    }
    ledger.counters.decided += 1
    ledger.decisions += 1
    decisions.append(
      arrival: ArrivalDecision(
        tenant: event.tenant, recipient: recipient, source: event.source, event: event.id, type: event.type,
        category: arrival.category, notification: arrival.notification, topic: codecs.name(of: record.topic),
        offset: record.offset, catalog: catalog.version, isDuplicate: isDuplicate,
        recipientRecord: profile.offset,
        retracts: retracted, channels: outcomes, grounds: grounds),
      head: DecisionHead(
        partition: configuration.partition, number: ledger.decisions, timeMilliseconds: arrival.now))
  }

  // MARK: - Ahead of need

  /// The hashes of an identity. The memory that is looked up by them is asked for already: what takes up the time until
  /// then need not wait for it.
  mutating func keys(of identity: EventIdentity) -> ArrivalKeys {
    let keys = ArrivalKeys(
      notification: NotificationID.hash(
        tenant: identity.tenant, source: identity.source, id: identity.id, recipient: identity.recipient),
      recipient: recipientKey(identity.tenant, identity.recipient))
    ids.prefetch(keys.notification)
    recipients.prefetch(keys.recipient)
    return keys
  }

  /// The keys of the windows that the catalog has for an event, looked up ahead as well.
  private mutating func planWindows(
    _ event: EventView, _ rules: UnsafePointer<TypeRules>, _ category: ByteView, _ recipient: ByteView
  ) -> ChannelValues<PlannedWindow> {
    var planned = ChannelValues<PlannedWindow>()
    for channel in Channel.allCases {
      guard case .digest(let digest)? = rules.pointee.channels[channel]?.policy,
        digest.options.map({ catalog.options($0).key.isEmpty }) ?? true
      else { continue }
      let key = WindowID.hash(
        tenant: event.tenant, recipient: recipient, channel: channel,
        digestKey: digest.group.map { catalog.text($0) } ?? category, openedMilliseconds: -1)
      windows.prefetch(key)
      planned[channel] = PlannedWindow(key: key, group: digest.group)
    }
    return planned
  }

  // MARK: - Dedup

  /// Notes an id that was put into the table, so that it can be taken back and is restored.
  mutating func remember(_ insertion: DedupTable.Insertion) {
    undo.append(.idInserted(insertion.entry, replaced: insertion.replaced))
    Change.append(added: insertion.entry, to: &changes)
  }

  private mutating func decide(
    _ arrival: Arrival, by rule: ChannelRule, _ profile: RecipientAddressing,
    _ grounds: inout DecisionGrounds?, _ codecs: inout Codecs
  ) -> ChannelOutcome {
    if let expiry = arrival.event.expiryMilliseconds, expiry <= arrival.now { return .expired }
    let resolution = resolve(arrival, rule, profile)
    grounds = DecisionGrounds(preference: resolution.preference)
    switch resolution.action {
    case .suppress(let reason): return .suppressed(reason)
    case .deliver(let policy):
      grounds?.policy = policy.ground
      grounds?.unknownZone = unknownZone(policy, profile, codecs)
      if case .immediate = policy, let digest = catchUp(arrival, on: rule.channel) {
        grounds?.policy = .catchUp
        grounds?.unknownZone = unknownZone(.digest(digest), profile, codecs)
        ledger.counters[rule.channel].caughtUp += 1
        return collect(arrival, on: rule.channel, digest, profile, &grounds, &codecs)
      }
      switch policy {
      case .immediate where outsideQuietHours(arrival.now, arrival, profile, codecs) > arrival.now:
        return collect(arrival, on: rule.channel, .untilQuietHoursEnd, profile, &grounds, &codecs)
      case .immediate:
        guard let overflow = overflow(arrival, rule) else {
          return deliver(arrival, on: rule.channel, profile)
        }
        grounds?.policy = overflow.policy
        grounds?.unknownZone = unknownZone(.digest(overflow.digest), profile, codecs)
        return collect(arrival, on: rule.channel, overflow.digest, profile, &grounds, &codecs)
      case .digest(let digest): return collect(arrival, on: rule.channel, digest, profile, &grounds, &codecs)
      }
    }
  }
}

/// What is said of a recipient at the moment of a decision: by their record, and by their tenant's defaults. Its views are
/// valid until the table of recipients or the catalog changes.
struct RecipientAddressing {
  /// What the two say.
  let layers: ProfileLayers
  /// The offset of the record; nil where there is none.
  let offset: Int64?
  /// Whether there are quiet hours.
  let hasQuietHours: Bool

  /// - Parameter defaults: the compact form of the tenant's.
  init(_ recipient: Recipient?, defaults: ByteView?) {
    layers = ProfileLayers(
      recipient: recipient.map { RecipientProfileView($0.profile) },
      tenant: defaults.map { RecipientProfileView($0) })
    offset = recipient?.offset
    hasQuietHours = layers.hasQuietHours
  }
}
