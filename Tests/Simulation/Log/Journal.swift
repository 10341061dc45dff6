import Contract
import Kafka
import SimulatedKafka

/// Turns what the broker commits into what the checkers read: the records of a transaction by home partition, decoded
/// from their bytes, in the instant in which the transaction is decided.
final class Journal {
  private let prefix: String
  private let partitionCount: Int
  private var decisionReader: DecisionReader
  private var deliveryDecoder: DeliveryDecoder
  /// The last committed header of each home.
  private(set) var latest: [StateHeader?]
  /// All input records.
  var facts: InputFacts

  init(prefix: String, partitionCount: Int) throws {
    self.prefix = prefix
    self.partitionCount = partitionCount
    decisionReader = try DecisionReader()
    deliveryDecoder = try DeliveryDecoder()
    latest = Array(repeating: nil, count: partitionCount)
    facts = InputFacts(partitionCount: partitionCount)
  }

  /// A transaction as it lies in the logs.
  func transaction(
    _ state: TransactionState, offsets: [(group: String, offsets: [PartitionOffset])], now: Int64
  ) -> CommittedTransaction {
    var records: [CommittedRecord] = []
    for (partition, entries) in state.records {
      let topic = String(partition.topic.dropFirst(prefix.utf8.count + 1))
      for entry in entries {
        guard let record = entry.record else { continue }
        records.append(
          CommittedRecord(
            topic: topic, partition: Int(partition.partition), offset: entry.offset,
            appended: entry.timestamp,
            record: record))
      }
    }
    return CommittedTransaction(
      transactionalID: state.transactionalID, time: now, records: records,
      offsets: offsets.flatMap(\.offsets).map {
        (
          String($0.topicPartition.topic.dropFirst(prefix.utf8.count + 1)), Int($0.topicPartition.partition),
          $0.offset
        )
      })
  }

  /// The transaction by home partition, in their order.
  func homes(of transaction: CommittedTransaction) throws(Violation) -> [HomeCommit] {
    var commits: [Int: HomeCommit] = [:]
    for record in transaction.records where record.topic == "state" {
      guard let header = record.record.value.flatMap({ StateHeader($0) }) else {
        throw Violation(.restore, "\(record.place) is not a state record")
      }
      try require(
        commits[record.partition] == nil, .offsets,
        "\(transaction.transactionalID): two state records of home \(record.partition)")
      commits[record.partition] = HomeCommit(
        home: record.partition, transaction: transaction, header: header, before: latest[record.partition],
        state: record)
    }
    for record in transaction.records where record.topic != "state" {
      let home =
        ["routed", "recipients", "engagement", "subscriptions"].contains(record.topic)
        ? record.origin?.partition ?? record.partition : record.partition
      guard commits[home] != nil else {
        throw Violation(
          .abort,
          "\(record.place) was committed by \(transaction.transactionalID) without a state record of home \(home)"
        )
      }
      try add(record, to: &commits[home])
    }
    for (home, commit) in commits { latest[home] = commit.header }
    return commits.values.sorted { $0.home < $1.home }
  }

  private func add(_ record: CommittedRecord, to commit: inout HomeCommit?) throws(Violation) {
    switch record.topic {
    case "decisions":
      commit?.decisions += try decisionReader.decisions(record.record.value ?? .empty)
      return
    case "rejected": commit?.rejected.append(record)
    case "routed": commit?.routed.append(record)
    case "recipients": commit?.recipients.append(record)
    case "engagement": commit?.engagement.append(record)
    case "subscriptions": commit?.subscriptions.append(record)
    default:
      do throws(Rejection) {
        commit?.deliveries.append((record, try deliveryDecoder.decode(record.record.value)))
      } catch {
        throw Violation(.onceOnly, "\(record.place): no sink can read the delivery: \(error)")
      }
    }
    commit?.output.append(record)
  }

  /// What is true of a forwarded record: it is the one that it names as its origin, for whom it says.
  private func forwarded(_ record: CommittedRecord) throws(Violation) -> InputFact {
    let topic: InputFacts.Topic = record.origin?.topic.hasSuffix(".routed") ?? false ? .routed : .events
    guard let origin = record.origin,
      let source = facts.record(topic, partition: origin.partition, at: origin.offset),
      case .event(var expected) = source.kind
    else { throw Violation(.onceOnly, "\(record.place) does not say where its event was read first") }
    let found = try Self.event(record)
    if let recipient = found.recipients.first {
      expected = expected.narrowed(to: recipient)
      if record.header("tidings-audience") != nil { expected.audience = nil }
    }
    try require(found == expected, .onceOnly, "\(record.place) is \(found), its origin \(expected)")
    return InputFact(
      offset: record.offset, appended: record.appended, originAppended: source.firstAppended,
      kind: .event(expected))
  }

  /// Enters the input records that a transaction wrote: they are true from here on.
  func enterInputs(of transaction: CommittedTransaction) throws(Violation) {
    for record in transaction.records {
      switch record.topic {
      case "routed":
        facts.add(try forwarded(record), to: .routed, partition: record.partition)
      case "recipients":
        guard let origin = record.origin,
          case .recipient(let key, let fact)? = facts.record(
            .recipients, partition: origin.partition, at: origin.offset)?.kind,
          record.record.key?.string == key
        else { throw Violation(.onceOnly, "\(record.place) is no copy of the record that it names") }
        facts.add(
          InputFact(offset: record.offset, appended: record.appended, kind: .recipient(key: key, fact)),
          to: .recipients, partition: record.partition)
      case "engagement":
        guard let origin = record.origin,
          let fact = facts.record(.engagement, partition: origin.partition, at: origin.offset),
          case .engagement = fact.kind
        else { throw Violation(.onceOnly, "\(record.place) is no copy of the record that it names") }
        facts.add(
          InputFact(offset: record.offset, appended: record.appended, kind: fact.kind), to: .engagement,
          partition: record.partition)
      case "subscriptions":
        guard let origin = record.origin,
          let fact = facts.record(.subscriptions, partition: origin.partition, at: origin.offset),
          case .part(let audience, let part, _) = fact.kind,
          record.record.key?.string == partKey(audience, part)
        else { throw Violation(.onceOnly, "\(record.place) is no copy of the record that it names") }
        facts.add(
          InputFact(offset: record.offset, appended: record.appended, kind: fact.kind), to: .subscriptions,
          partition: record.partition)
      default: continue
      }
    }
  }

  private static func event(_ record: CommittedRecord) throws(Violation) -> EventFact {
    guard let id = record.header("ce_id"), let source = record.header("ce_source"),
      let type = record.header("ce_type"),
      (record.header("ce_recipient") == nil) != (record.header("ce_audience") == nil)
    else { throw Violation(.onceOnly, "\(record.place) is not an event of one recipient or audience") }
    var fact = EventFact(id: id, type: type, recipients: record.header("ce_recipient").map { [$0] } ?? [])
    fact.audience = record.header("ce_audience")
    fact.source = source
    fact.tenant = record.header("ce_tenant") ?? "default"
    fact.actor = record.header("ce_actor")
    fact.category = record.header("ce_category")
    fact.subject = record.header("ce_subject")
    fact.isCritical = record.header("ce_priority") == "critical"
    // The data are such as {"n":3}.
    fact.number = Int(record.record.value?.string.filter(\.isNumber) ?? "") ?? 0
    func instant(_ name: StaticString) -> Int64? {
      record.header(name).flatMap { text in text.withByteView { RFC3339.milliseconds(of: $0) } }
    }
    fact.expiry = instant("ce_expirytime")
    fact.time = instant("ce_time")
    fact.retracts = record.header("ce_retracts")
    fact.collapseKey = record.header("ce_collapsekey")
    return fact
  }
}
