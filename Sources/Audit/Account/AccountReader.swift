import Contract
import Kafka
import Pipeline

/// Reads what became of the notifications of one recipient: the core of `tidings why`.
///
/// It reads the recipient's home partition only, and only from the instant on that is asked for; the recipients' topic,
/// which is compacted, is read whole where it may explain something. It joins no group and
/// writes nothing. Confined to the thread that calls it; every call waits.
public struct AccountReader {
  private let topics: AuditTopics
  private let scan: PartitionScan

  /// A reader of a deployment.
  ///
  /// - Parameters:
  ///   - patience: how long to wait where a transaction holds a topic.
  ///   - progress: called after every thousand records, about.
  public init(
    cluster: any KafkaCluster, topics: AuditTopics, patience: Duration = .seconds(30),
    progress: @escaping (ScanProgress) -> Void = { _ in }
  ) {
    self.topics = topics
    scan = PartitionScan(cluster, patience: patience, progress: progress)
  }

  /// Answers a question.
  ///
  /// - Throws: `AuditFault`, `ScanFault`, `KafkaError`.
  public func read(_ question: AccountQuestion) throws -> RecipientAccount {
    let key = try question.key()
    let home = key.withByteView { Murmur2.partition(ofKey: $0, count: topics.partitionCount) }
    try topics.check(
      InputTopic.allCases.map(topics.name(of:)) + [topics.decisions] + Channel.allCases.map(topics.delivery),
      in: scan.cluster)
    var account = RecipientAccount(
      tenant: question.tenant, recipient: question.recipient, partition: home,
      partitionCount: topics.partitionCount, since: Instant(question.sinceMilliseconds))
    let history = try readDecisions(question, home, &account)
    account.notifications = try notifications(history, question, home)
    account.earlierDigests = earlierDigests(history, question, account.notifications)
    account.engagement = try engagement(question, home, account.notifications)
    try fillDeliveries(&account, key, home, from: question.sinceMilliseconds)
    if account.needsRecipientRecord {
      account.recipientRecord = try RecipientRecordReader(topics, scan).read(key).map {
        RecipientAccount.RecipientRecord(at: $0.at, appended: $0.appended)
      }
    }
    account.undecidedRecords = try undecided(home)
    return account
  }

  // MARK: - Decisions

  private func readDecisions(
    _ question: AccountQuestion, _ home: Int32, _ account: inout RecipientAccount
  ) throws -> AccountHistory {
    let topic = topics.decisions
    let range = try scan.range(of: topic, home)
    let from = try start(of: topic, home, question.sinceMilliseconds, range)
    let decoder = try DecisionDecoder()
    var history = AccountHistory()
    var (decisions, ofRecipient) = (0, 0)
    var isFirst = true
    var keptSince: Int64?
    try scan.read(topic, [PartitionSpan(partition: home, from: from, to: range.latest)]) { record in
      // Whatever was decided before the first record that is left may have been asked for.
      if isFirst, range.earliest > 0, from == range.earliest,
        record.timestampMilliseconds > question.sinceMilliseconds
      {
        keptSince = record.timestampMilliseconds
      }
      isFirst = false
      guard record.timestampMilliseconds >= question.sinceMilliseconds else { return }
      let place = RecipientAccount.Place(topic: topic, partition: home, offset: record.offset)
      _ = try decoder.decode(record.value) { decision in
        decisions += 1
        guard question.matches(decision) else { return }
        ofRecipient += 1
        history.take(decision, at: place, in: home)
      }
    }
    account.decisionsRead = decisions
    account.recipientDecisions = ofRecipient
    account.keptSince = keptSince.map { Instant($0) }
    return history
  }

  private func start(
    of topic: String, _ partition: Int32, _ milliseconds: Int64, _ range: OffsetRange
  ) throws -> Int64 {
    let place = TopicPartition(topic: topic, partition: partition)
    func offset(since milliseconds: Int64) throws -> Int64? {
      let found = try Patience.retry(scan.patience) { () throws(KafkaError) in
        try scan.cluster.admin.offsets(of: [place], since: milliseconds, timeout: .seconds(10))
      }
      return found.first ?? nil
    }
    if let found = try offset(since: milliseconds) { return max(range.earliest, found) }
    // A broker that finds nothing from the epoch on either knows no times of records: the embedded one of a demo.
    return try offset(since: 0) == nil ? range.earliest : range.latest
  }

  // MARK: - Notifications

  private func notifications(
    _ history: AccountHistory, _ question: AccountQuestion, _ home: Int32
  ) throws -> [RecipientAccount.Notification] {
    var first: [String: RecipientAccount.Place] = [:]
    var notifications: [RecipientAccount.Notification] = []
    for var notification in history.arrivals {
      if notification.isDuplicate {
        notification.repeats = first[notification.id]
      } else {
        first[notification.id] = notification.arrival.at
      }
      guard question.matches(event: notification.event, source: notification.source) else { continue }
      for index in notification.channels.indices {
        history.close(&notification.channels[index], of: notification.id)
      }
      notifications.append(notification)
    }
    for topic in Set(notifications.map(\.arrival.at.topic)) {
      try fillArrivals(&notifications, topic, home)
    }
    return notifications
  }

  /// Looks the input records up: from the first that is asked for to the last.
  private func fillArrivals(
    _ notifications: inout [RecipientAccount.Notification], _ topic: String, _ home: Int32
  ) throws {
    var wanted: [Int64: [Int]] = [:]
    for (index, notification) in notifications.enumerated() where notification.arrival.at.topic == topic {
      wanted[notification.arrival.at.offset, default: []].append(index)
    }
    let range = try scan.range(of: topic, home)
    guard let first = wanted.keys.filter({ $0 >= range.earliest }).min(), let last = wanted.keys.max() else {
      return
    }
    try scan.read(
      topic, [PartitionSpan(partition: home, from: first, to: min(last + 1, range.latest))]
    ) { record in
      for index in wanted[record.offset] ?? [] {
        notifications[index].arrival.appended = Instant(record.timestampMilliseconds)
        notifications[index].arrival.origin = record.origin.map {
          RecipientAccount.Place(topic: $0.topic, partition: $0.partition, offset: $0.offset)
        }
        notifications[index].arrival.audience = record.headerText("tidings-audience")
      }
    }
  }

  private func earlierDigests(
    _ history: AccountHistory, _ question: AccountQuestion, _ notifications: [RecipientAccount.Notification]
  ) -> [RecipientAccount.EarlierDigest] {
    // Whether they hold the event that is asked for, nobody can tell without its decision.
    guard question.event == nil, question.source == nil else { return [] }
    return history.earlierDigests()
  }

  private func engagement(
    _ question: AccountQuestion, _ home: Int32, _ notifications: [RecipientAccount.Notification]
  ) throws -> [RecipientAccount.EngagementRecord] {
    let topic = topics.name(of: .engagement)
    let range = try scan.range(of: topic, home)
    let from = try start(of: topic, home, question.sinceMilliseconds, range)
    let shown = Set(notifications.map(\.id))
    var trace = try EngagementTrace(topics)
    var found: [RecipientAccount.EngagementRecord] = []
    try scan.read(topic, [PartitionSpan(partition: home, from: from, to: range.latest)]) { record in
      guard record.timestampMilliseconds >= question.sinceMilliseconds,
        let engagement = trace.read(record, of: question)
      else { return }
      let isAsked = question.event == nil && question.source == nil
      if isAsked || engagement.notifications.isEmpty || !shown.isDisjoint(with: engagement.notifications) {
        found.append(engagement)
      }
    }
    return found
  }

  // MARK: - Deliveries

  private func fillDeliveries(
    _ account: inout RecipientAccount, _ key: String, _ home: Int32, from milliseconds: Int64
  ) throws {
    for channel in Channel.allCases {
      let wanted = account.deliveryIDs(on: channel.name)
      guard !wanted.isEmpty else { continue }
      let found = try DeliveryTrace(topics, scan, channel).read(
        wanted, key: key, home, from: { topic, range in try start(of: topic, home, milliseconds, range) })
      account.fill(found, on: channel.name)
    }
  }

  // MARK: - What else there is to say

  /// Records of the home's inputs behind the processors' offsets; nil where the group has none.
  private func undecided(_ home: Int32) throws -> Int64? {
    let committed = try Patience.retry(scan.patience) { () throws(KafkaError) in
      try scan.cluster.admin.committedOffsets(ofGroup: topics.processorGroup, timeout: .seconds(10))
    }
    var sum: Int64?
    for topic in [InputTopic.events, .routed] {
      let range = try scan.range(of: topics.name(of: topic), home)
      guard let position = committed.first(where: { $0.topicPartition == range.topicPartition }) else {
        continue
      }
      sum = (sum ?? 0) + max(0, range.latest - position.offset)
    }
    return sum
  }
}
