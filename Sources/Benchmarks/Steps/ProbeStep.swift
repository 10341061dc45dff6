import Contract
import Kafka

/// Publishes one event for a recipient of each home partition: whoever decides all of them decides everywhere.
struct ProbeStep {
  /// Before the number in the ids of these events.
  static let idPrefix: StaticString = "probe-"

  private let site: BenchSite
  private let number: Int

  init(_ site: BenchSite, number: Int) {
    self.site = site
    self.number = number
  }

  func run() throws {
    let partitionCount = Int32(clamping: site.partitionCount)
    let producer = try site.cluster.makeIdempotentProducer(
      IdempotentProducerOptions(topics: ["\(site.prefix).events"]))
    defer { producer.close() }
    var event = EventRecord()
    var scratch = OutputBuffer(capacity: 64)
    var waiting = Set(0..<partitionCount)
    var recipient = 0
    while !waiting.isEmpty {
      let home = EventRecord.home(ofRecipient: recipient, partitionCount: partitionCount, scratch: &scratch)
      if waiting.remove(home) != nil {
        try event.with(
          idPrefix: Self.idPrefix, number: number, type: LoadCatalog.immediate, recipient: recipient
        ) { input in
          try producer.produce(
            OutgoingRecord(
              topicIndex: 0, partition: home, key: input.key, value: input.value, headers: input.headers)
          ) { _ in }
        }
      }
      recipient += 1
    }
    try producer.flush(timeout: .seconds(30))
  }
}
