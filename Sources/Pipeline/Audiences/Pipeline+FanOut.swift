import Contract
import Policy

extension Pipeline {
  /// Fan-outs that are not finished.
  public var fanOutCount: Int { fanOuts.count }

  // MARK: - Begin

  /// Takes an event for an audience in, in the audience's home: its followers are served later, a step at a time.
  ///
  /// An event that comes again within the dedup horizon, or while its fan-out is under way, is not fanned out again.
  mutating func beginFanOut(
    _ event: EventView, _ record: PartitionRecord, now: Int64, using codecs: inout Codecs
  ) -> Progress {
    // At the bound the record waits: what is under way makes room.
    guard fanOuts.count < configuration.fanOutCountLimit, fanOuts.bytes < configuration.fanOutBytesLimit
    else { return .again }
    let now = max(now, ledger.timerClock)
    let key = AudienceEventID.hash(
      tenant: event.tenant, source: event.source, id: event.id, audience: event.audience)
    let minute = max(ledger.inputClock, record.appended) / 60_000
    var decision = AudienceDecision(
      tenant: event.tenant, audience: event.audience, source: event.source, event: event.id,
      type: event.type, topic: codecs.name(of: record.topic), offset: record.offset, outcome: .duplicate)
    let asked = configuration.flaws.contains(.repeatsFannedOut) ? Int64.max : minute
    guard fanOuts.find(key) == nil,
      let insertion = ids.insert(
        key, minute: minute, unlessSeenBefore: asked, confirmedMinute: confirmedMinute)
    else {
      ledger.counters.decided += 1
      ledger.counters.repeatedFanOuts += 1
      decide(decision, now: now)
      return .done
    }
    remember(insertion)
    scratch.removeAll()
    AudienceKey.append(tenant: event.tenant, audience: event.audience, to: &scratch)
    let parts = audiences.parts(of: Hash128(of: scratch.view))
    guard parts.contains(where: { $0.members.count > 0 }) else {
      ledger.counters.decided += 1
      ledger.counters.withoutFollowers += 1
      decision.outcome = parts.isEmpty ? .unknownAudience : .emptyAudience
      decide(decision, now: now)
      return .done
    }
    codecs.forwards.beginFanOut(
      of: event,
      at: RecordPosition(
        topic: codecs.name(of: record.topic), partition: configuration.partition, offset: record.offset),
      appended: record.firstAppended(of: event))
    memberScratch.removeAll()
    FanOutEvent.append(
      codecs.forwards.record(for: .empty), of: event, topic: record.topic, offset: record.offset,
      to: &memberScratch)
    let fanOut = FanOut(key: key, turn: fanOuts.nextTurn, event: Array(memberScratch.view.buffer))
    fanOuts.set(fanOut)
    undo.append(.fanOutBegun(key))
    Change.fanOutBegun(fanOut).append(to: &changes)
    ledger.counters.forwarded += 1
    ledger.counters.fanOuts += 1
    return .done
  }

  // MARK: - Go on

  /// Serves the next followers of the fan-out whose turn it is, and puts it behind all others: one step, of about
  /// `Configuration.fanOutStep` bytes. Nothing happens where no fan-out waits.
  ///
  /// Whoever subscribes or leaves meanwhile is served or not, as their place in the order is still to come or not; who
  /// was subscribed all the time is served once.
  ///
  /// - Parameters:
  ///   - now: the timer clock, in milliseconds since the epoch; an earlier instant than before counts as that one.
  ///   - codecs: of the owner's thread.
  public mutating func continueFanOut(now: Int64, using codecs: borrowing Codecs) {
    guard var fanOut = fanOuts.first else { return }
    advanceTimerClock(to: now)
    undo.append(.fanOutReplaced(fanOut))
    let bytes = fanOut.event
    let isFinished = bytes.withUnsafeBytes { bytes in
      guard let event = FanOutEvent(ByteView(bytes)) else { return true }
      guard !serve(event, &fanOut) else {
        finish(event, fanOut, using: codecs)
        return true
      }
      return false
    }
    if isFinished {
      fanOuts.remove(fanOut.key)
      Change.fanOutEnded(key: fanOut.key).append(to: &changes)
    } else {
      fanOut.turn = fanOuts.nextTurn
      fanOuts.set(fanOut)
      Change.fanOutContinued(fanOut).append(to: &changes)
    }
  }

  /// - Returns: whether no follower is left.
  private mutating func serve(_ event: FanOutEvent, _ fanOut: inout FanOut) -> Bool {
    scratch.removeAll()
    AudienceKey.append(tenant: event.tenant, audience: event.audience, to: &scratch)
    var members = MemberMerge(
      audiences.parts(of: Hash128(of: scratch.view)), from: fanOut.next,
      flaws: configuration.flaws)
    let value = outbox.store(event.value)
    let headers = event.headers.withUnsafeBufferPointer { outbox.store(headers: $0) }
    var left = configuration.fanOutStep
    var last: UInt64?
    while let member = members.first {
      // Between two members of one hash there is no place to go on from.
      if left <= 0, member.hash != last {
        if configuration.flaws.contains(.stepSkipsFollower) { fanOut.next = member.hash &+ 1 }
        return false
      }
      left -= forward(event, value: value, headers: headers, to: member.id)
      last = member.hash
      // Behind the highest hash nobody is left to go on with.
      fanOut.next = member.hash &+ 1
      fanOut.served += 1
      members.advance()
    }
    return true
  }

  /// - Returns: the bytes of the record.
  private mutating func forward(
    _ event: FanOutEvent, value: Range<Int>, headers: Range<Int>, to recipient: ByteView
  ) -> Int {
    let before = outbox.byteCount
    let keyStart = outbox.bytes.count
    RecipientKey.append(tenant: event.tenant, recipient: recipient, to: &outbox.bytes)
    let key = keyStart..<outbox.bytes.count
    let partition = Murmur2.partition(
      ofKey: outbox.bytes.view.slice(key), count: configuration.partitionCount)
    let id = key.upperBound - recipient.count..<key.upperBound
    outbox.add(
      .routed, partition: partition, key: key, value: value,
      headers: outbox.repeatHeaders(headers, firstValue: id))
    ledger.counters.forwards += 1
    return outbox.byteCount - before
  }

  private mutating func finish(
    _ event: FanOutEvent, _ fanOut: FanOut, using codecs: borrowing Codecs
  ) {
    decide(
      AudienceDecision(
        tenant: event.tenant, audience: event.audience, source: event.header("ce_source"),
        event: event.header("ce_id"), type: event.header("ce_type"), topic: codecs.name(of: event.topic),
        offset: event.offset, outcome: .fannedOut(recipients: fanOut.served)),
      now: ledger.timerClock)
  }

  private mutating func decide(_ decision: AudienceDecision, now: Int64) {
    ledger.decisions += 1
    decisions.append(
      audience: decision,
      head: DecisionHead(
        partition: configuration.partition, number: ledger.decisions, timeMilliseconds: now))
  }
}

// MARK: - What tools look at

/// A fan-out that is not finished, as a tool sees it.
public struct PendingFanOut: Sendable, Equatable {
  /// The identity of the event and its audience.
  public let key: Hash128
  /// The tenant.
  public let tenant: String
  /// The audience.
  public let audience: String
  /// The source of the event.
  public let source: String
  /// The id of the event.
  public let event: String
  /// The topic of the event's record in the audience's home.
  public let topic: InputTopic
  /// Its offset there.
  public let offset: Int64
  /// Followers served so far.
  public let served: UInt64
  /// Its place in the queue.
  public let turn: UInt64

  init?(_ fanOut: FanOut) {
    let fields = fanOut.event.withUnsafeBytes { bytes in
      FanOutEvent(ByteView(bytes)).map {
        (
          $0.tenant.string, $0.audience.string, $0.header("ce_source").string, $0.header("ce_id").string,
          $0.topic, $0.offset
        )
      }
    }
    guard let fields else { return nil }
    (tenant, audience, source, event, topic, offset) = fields
    key = fanOut.key
    served = fanOut.served
    turn = fanOut.turn
  }
}

extension Pipeline {
  /// The fan-outs that are not finished, in the order of their turns.
  public var pendingFanOuts: [PendingFanOut] {
    fanOuts.entries(prefixes: 0..<65_536).compactMap { PendingFanOut($0) }.sorted { $0.turn < $1.turn }
  }
}
