import Contract

extension Pipeline {
  /// Takes an engagement record in: applies it at home, hands it on to its home, or rejects it.
  mutating func applyEngagement(_ record: PartitionRecord, using codecs: inout Codecs) {
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
  }
}
