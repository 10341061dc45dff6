import Contract
import Policy

/// What cannot be true of a record unless the deployment is wrong.
public enum PipelineFault: Error, Equatable {
  /// A routed record belongs to another home partition.
  case foreignRecord(home: Int32)
}

extension Pipeline {
  /// Whether a record is done with.
  public enum Progress: Equatable, Sendable {
    /// It is; the position is behind it.
    case done
    /// It goes on after the next commit, as a large fan-out does, or there is no room for it before: apply the same
    /// record again then, and nothing of its topic before.
    case again
  }

  /// Takes one record in: decides it, hands it on, or rejects it.
  ///
  /// - Parameters:
  ///   - record: the next record of its topic, at or behind the topic's position.
  ///   - now: the timer clock, in milliseconds since the epoch; an earlier instant than before counts as that one.
  ///   - codecs: of the owner's thread.
  /// - Throws: `PipelineFault.foreignRecord`; the state is unchanged then.
  public mutating func apply(
    _ record: PartitionRecord, now: Int64, using codecs: inout Codecs
  ) throws(PipelineFault) -> Progress {
    let progress: Progress
    switch record.topic {
    case .events:
      progress = applyEvent(record, now: now, using: &codecs)
    case .routed:
      progress = try applyRouted(record, now: now, using: &codecs)
    case .recipients:
      applyRecipient(record, using: &codecs)
      progress = .done
    case .engagement:
      progress = applyEngagement(record, now: now, using: &codecs)
    case .subscriptions:
      applySubscription(record, using: &codecs)
      progress = .done
    }
    // One that waits for room was not taken in: nothing is as it would be behind it.
    let isTakenIn = progress == .done || record.topic == .engagement || ledger.fanOut?.topic == record.topic
    guard isTakenIn else { return .again }
    ledger.inputClock = max(ledger.inputClock, record.appended)
    advanceTimerClock(to: now)
    if progress == .done {
      ledger.counters.consumed += 1
      advance(record.topic, to: record.offset + 1)
    }
    return progress
  }

  // MARK: - Events

  private mutating func applyEvent(
    _ record: PartitionRecord, now: Int64, using codecs: inout Codecs
  ) -> Progress {
    var keys: ArrivalKeys?
    switch codecs.events.decode(record.content, onIdentity: { keys = self.keys(of: $0) }) {
    case .rejected(let rejection):
      reject(record, rejection, using: &codecs)
      return .done
    case .event(let event):
      // Part of its recipients have it already: another catalog in between cannot take that back.
      let isUnderWay = ledger.fanOut.map { $0.topic == record.topic && $0.offset == record.offset } ?? false
      let type = catalog.typeIndex(named: event.type)
      if !isUnderWay, let rejection = rejectionOfType(event, type) {
        reject(record, rejection, using: &codecs)
        return .done
      }
      if !event.audience.isEmpty, home(of: event.audience, tenant: event.tenant) == configuration.partition {
        return beginFanOut(event, record, now: now, using: &codecs)
      }
      let isAtHome =
        event.recipientCount == 1
        && home(of: event.recipient(at: 0), tenant: event.tenant) == configuration.partition
      guard isAtHome else { return forward(event, record, using: &codecs) }
      decide(event, ofType: type, keys, record, now: now, using: &codecs)
      return .done
    }
  }

  private mutating func applyRouted(
    _ record: PartitionRecord, now: Int64, using codecs: inout Codecs
  ) throws(PipelineFault) -> Progress {
    var keys: ArrivalKeys?
    switch codecs.routed.decode(forwarded: record.content, onIdentity: { keys = self.keys(of: $0) }) {
    case .rejected(let rejection):
      reject(record, rejection, using: &codecs)
    case .event(let event):
      let target = event.audience.isEmpty ? event.recipient(at: 0) : event.audience
      let home = home(of: target, tenant: event.tenant)
      guard event.recipientCount <= 1, home == configuration.partition else {
        throw .foreignRecord(home: home)
      }
      let type = catalog.typeIndex(named: event.type)
      if let rejection = rejectionOfType(event, type) {
        reject(record, rejection, using: &codecs)
      } else if !event.audience.isEmpty {
        return beginFanOut(event, record, now: now, using: &codecs)
      } else {
        decide(event, ofType: type, keys, record, now: now, using: &codecs)
      }
    }
    return .done
  }

  private mutating func rejectionOfType(_ event: EventView, _ type: Int?) -> Rejection? {
    guard type == nil, catalog.unknownTypes == .reject else { return nil }
    return Rejection(
      .unknownType,
      "The catalog has no type \"\(event.type.string)\". Add it to the catalog, or mend the event's type.")
  }

  /// The home of a recipient or an audience: their keys have one form.
  private mutating func home(of name: ByteView, tenant: ByteView) -> Int32 {
    RecipientKey.home(
      tenant: tenant, recipient: name, count: configuration.partitionCount, scratch: &scratch)
  }

  // MARK: - Forward

  private mutating func forward(
    _ event: EventView, _ record: PartitionRecord, using codecs: inout Codecs
  ) -> Progress {
    var next = 0
    if let fanOut = ledger.fanOut, fanOut.topic == record.topic, fanOut.offset == record.offset {
      next = fanOut.next
    }
    let position = RecordPosition(
      topic: codecs.name(of: record.topic), partition: configuration.partition, offset: record.offset)
    codecs.forwards.begin(event, at: position, appended: record.firstAppended(of: event))
    let value = outbox.store(event.data)
    var written = 0
    let targetCount = event.audience.isEmpty ? event.recipientCount : 1
    while next < targetCount {
      if written >= configuration.fanOutLimit {
        ledger.fanOut = FanOutProgress(topic: record.topic, offset: record.offset, next: next)
        return .again
      }
      let target = event.audience.isEmpty ? event.recipient(at: next) : event.audience
      let output = codecs.forwards.record(for: target)
      let before = outbox.byteCount
      let key = outbox.store(output.key ?? .empty)
      let headers = outbox.store(headers: output.headers)
      outbox.add(
        .routed,
        partition: Murmur2.partition(ofKey: output.key ?? .empty, count: configuration.partitionCount),
        key: key, value: value, headers: headers)
      written += outbox.byteCount - before
      ledger.counters.forwards += 1
      next += 1
    }
    ledger.fanOut = nil
    ledger.counters.forwarded += 1
    return .done
  }

  // MARK: - Reject

  mutating func reject(_ record: PartitionRecord, _ rejection: Rejection, using codecs: inout Codecs) {
    let output = codecs.rejections.record(
      for: record.content, rejection: rejection,
      at: RecordPosition(
        topic: codecs.name(of: record.topic), partition: configuration.partition, offset: record.offset))
    let key = output.key.map { outbox.store($0) }
    let value = output.value.map { outbox.store($0) }
    outbox.add(
      .rejected, partition: configuration.partition, key: key, value: value,
      headers: outbox.store(headers: output.headers))
    ledger.counters.rejected += 1
    ledger.rejections[rejection.reason.index] += 1
  }
}
