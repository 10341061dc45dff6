import Contract
import Policy

extension Pipeline {
  /// Takes a record of a table that was consumed before: it only fills the table, and nothing is counted or written.
  public mutating func load(_ record: PartitionRecord, using codecs: inout Codecs) {
    if record.topic == .subscriptions { return loadSubscription(record, using: &codecs) }
    guard let update = update(from: record, using: &codecs), update.home == configuration.partition else {
      return
    }
    if case .success(let row) = update.row, !update.isOutdated(by: recipients.find(update.key)) {
      recipients.set(update.key, row)
    }
  }

  mutating func applyRecipient(_ record: PartitionRecord, using codecs: inout Codecs) {
    guard let update = update(from: record, using: &codecs) else { return }
    switch update.row {
    case .failure(let rejection):
      reject(record, rejection, using: &codecs)
    case .success(let row):
      guard update.home == configuration.partition else {
        ledger.counters.forwarded += 1
        ledger.counters.forwards += 1
        return republish(record, to: .recipients, home: update.home)
      }
      if !update.isOutdated(by: recipients.find(update.key)) {
        undo.append(.recipientSet(update.key, before: recipients.set(update.key, row)))
      }
      if record.content.value == nil {
        ledger.counters.tombstones += 1
      } else {
        ledger.counters.decided += 1
      }
    }
  }

  private struct Update {
    var key: Hash128
    var home: Int32
    var origin: RecordOrigin?
    /// The new row; nil deletes.
    var row: Result<RecipientRow?, Rejection>

    func isOutdated(by known: Recipient?) -> Bool { origin?.isOlder(than: known?.origin) ?? false }
  }

  private mutating func update(from record: PartitionRecord, using codecs: inout Codecs) -> Update? {
    let key = record.content.key ?? .empty
    var update = Update(
      key: Hash128(of: key), home: Murmur2.partition(ofKey: key, count: configuration.partitionCount),
      origin: origin(of: record.content), row: .success(nil))
    do throws(Rejection) {
      // Before the key is looked at: what is rejected as too large is cut, all else has to fit the topic whole.
      try codecs.limits.check(table: record.content)
      _ = try RecipientKey.split(record.content.key)
      guard let decoded = try codecs.recipients.decode(record.content.value) else { return update }
      let profile = RecipientProfile(decoded)
      scratch.removeAll()
      profile.encode(into: &scratch)
      update.row = .success(
        RecipientRow(profile: scratch.view, offset: record.offset, origin: update.origin))
    } catch {
      update.row = .failure(error)
    }
    return update
  }

  // MARK: - Away from home

  private static var originPartition: StaticString { "tidings-origin-partition" }
  private static var originOffset: StaticString { "tidings-origin-offset" }

  func origin(of content: InputRecord) -> RecordOrigin? {
    var partition: Int64?
    var offset: Int64?
    for header in content.headers {
      if header.name.equals(Self.originPartition) { partition = header.value.flatMap(Self.decimal) }
      if header.name.equals(Self.originOffset) { offset = header.value.flatMap(Self.decimal) }
    }
    guard let partition, let offset, let exact = Int32(exactly: partition) else { return nil }
    return RecordOrigin(partition: exact, offset: offset)
  }

  private static func decimal(_ text: ByteView) -> Int64? { Int64(text.string) }

  /// Hands a record on to its home as it is, with the place where it was read.
  ///
  /// - Parameter keepingHeaders: whether its headers belong to it.
  mutating func republish(
    _ record: PartitionRecord, to topic: OutputTopic, home: Int32, keepingHeaders: Bool = false
  ) {
    let key = outbox.store(record.content.key ?? .empty)
    let value = record.content.value.map { outbox.store($0) }
    let headerStart = outbox.headerCount
    if keepingHeaders {
      for header in record.content.headers
      where !header.name.equals(Self.originPartition) && !header.name.equals(Self.originOffset) {
        outbox.store(header)
      }
    }
    scratch.removeAll()
    scratch.append(decimal: Int64(configuration.partition))
    outbox.addHeader(name: Self.originPartition, value: scratch.view)
    scratch.removeAll()
    scratch.append(decimal: record.offset)
    outbox.addHeader(name: Self.originOffset, value: scratch.view)
    outbox.add(topic, partition: home, key: key, value: value, headers: headerStart..<outbox.headerCount)
  }
}
