import Contract

extension Pipeline {
  /// Audiences known.
  public var audienceCount: Int { audiences.count }
  /// Members of all parts of all audiences: who is in two parts counts twice.
  public var memberCount: Int { audiences.memberCount }
  /// Bytes of all parts.
  public var audienceBytes: Int { audiences.byteCount }

  /// Takes a part of an audience that was consumed before: it only fills the table, and nothing is counted or written.
  mutating func loadSubscription(_ record: PartitionRecord, using codecs: inout Codecs) {
    guard let update = subscription(from: record, using: &codecs), update.home == configuration.partition,
      case .success(let part) = update.part, !isOutdated(update)
    else { return }
    audiences.set(part, update.key, of: update.audience)
  }

  mutating func applySubscription(_ record: PartitionRecord, using codecs: inout Codecs) {
    guard let update = subscription(from: record, using: &codecs) else { return }
    switch update.part {
    case .failure(let rejection):
      reject(record, rejection, using: &codecs)
    case .success(let part):
      guard update.home == configuration.partition else {
        ledger.counters.forwarded += 1
        ledger.counters.forwards += 1
        return republish(record, to: .subscriptions, home: update.home)
      }
      if !isOutdated(update) {
        let before = audiences.part(update.key, of: update.audience)
        audiences.set(part, update.key, of: update.audience)
        undo.append(.partSet(update.key, audience: update.audience, before: before))
      }
      if record.content.value == nil {
        ledger.counters.tombstones += 1
      } else {
        ledger.counters.decided += 1
      }
    }
  }

  private struct SubscriptionUpdate {
    /// The hashes of the part's key and the audience's.
    var key: Hash128
    var audience: Hash128
    var home: Int32
    var origin: RecordOrigin?
    /// The new part; nil removes it.
    var part: Result<AudiencePart?, Rejection>
  }

  private mutating func subscription(
    from record: PartitionRecord, using codecs: inout Codecs
  ) -> SubscriptionUpdate? {
    let key = record.content.key ?? .empty
    var update = SubscriptionUpdate(
      key: Hash128(of: key), audience: Hash128(of: key), home: configuration.partition,
      origin: origin(of: record.content), part: .success(nil))
    do throws(Rejection) {
      try codecs.limits.check(table: record.content, SubscriptionDecoder.advice)
      let name = try AudienceKey.split(record.content.key)
      update.audience = Hash128(of: name.key)
      update.home = Murmur2.partition(ofKey: name.key, count: configuration.partitionCount)
      guard let recipients = try codecs.subscriptions.decode(record.content.value) else { return update }
      update.part = .success(
        AudiencePart(key: update.key, members: MemberBlock(recipients), origin: update.origin))
    } catch {
      update.part = .failure(error)
    }
    return update
  }

  private func isOutdated(_ update: SubscriptionUpdate) -> Bool {
    update.origin?.isOlder(than: audiences.part(update.key, of: update.audience)?.origin) ?? false
  }
}
