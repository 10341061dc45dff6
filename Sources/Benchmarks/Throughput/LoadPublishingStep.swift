import Contract
import Kafka
import Synchronization

/// Publishes the load: the recipients' records, then events.
struct LoadPublishingStep {
  private let site: BenchSite
  private let options: PublishedLoad
  private let losses = Losses()

  /// Records that did not arrive.
  private final class Losses: Sendable {
    let first = Mutex<KafkaError?>(nil)
  }

  init(_ site: BenchSite, _ options: PublishedLoad) {
    self.site = site
    self.options = options
  }

  func run(_ onProgress: (StepProgress) -> Void) throws {
    let producer = try site.cluster.makeIdempotentProducer(
      IdempotentProducerOptions(
        topics: ["\(site.prefix).events", "\(site.prefix).recipients"], linger: .milliseconds(20)))
    defer { producer.close() }
    var load = EventLoad(seed: options.seed, partitionCount: site.partitionCount)
    var recipient = RecipientRecordBytes()
    for number in 0..<EventLoad.recipientCount {
      try recipient.with(number: number) { record throws(KafkaError) in
        try send(record, topicIndex: 1, partition: load.homes[number], producer)
      }
    }
    var event = EventRecord()
    var progress = Stopwatch()
    for count in 0..<options.events {
      let next = load.next()
      try event.with(
        idPrefix: "event-", number: next.number, type: LoadCatalog.shares[next.type].type,
        recipient: next.recipient
      ) { record throws(KafkaError) in
        try send(record, topicIndex: 0, partition: Int32(next.partition), producer)
      }
      if count % 256 == 0, progress.seconds > 0.1 {
        progress = Stopwatch()
        onProgress(
          StepProgress(share: Double(count) / Double(options.events), count: count, unit: "event"))
      }
    }
    try producer.flush(timeout: .seconds(120))
    if let error = losses.first.withLock({ $0 }) {
      throw BenchmarkError("records of the load were lost on their way: \(error)")
    }
  }

  private func send(
    _ record: InputRecord, topicIndex: Int, partition: Int32, _ producer: any IdempotentProducer
  ) throws(KafkaError) {
    try producer.produceWithRoom(
      OutgoingRecord(
        topicIndex: topicIndex, partition: partition, key: record.key, value: record.value,
        headers: record.headers)
    ) { [losses] result in
      guard case .failure(let error) = result else { return }
      losses.first.withLock { $0 = $0 ?? error }
    }
  }
}
