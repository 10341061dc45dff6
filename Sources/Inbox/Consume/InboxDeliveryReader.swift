import Contract
import Kafka
import Logging

/// Makes an inbox entry, or a dead letter, of a record of the delivery topic.
struct InboxDeliveryReader: ~Copyable {
  enum Outcome {
    /// An entry, and when its items were accepted, in milliseconds since the epoch.
    case entry(InboxEntry, acceptedAt: [Int64])
    /// A record for the dead-letter topic: the original with headers that say why and whence.
    case deadLetter(ProducerRecord)
  }

  private let topic: String
  private let logger: Logger
  private var decoder: DeliveryDecoder
  private let renderer: InboxRenderer
  private var rejections = RejectionEncoder()

  init(topic: String, logger: Logger) throws {
    self.topic = topic
    self.logger = logger
    decoder = try DeliveryDecoder()
    renderer = InboxRenderer(logger: logger)
  }

  mutating func read(_ record: ConsumedRecord) -> Outcome {
    do throws(Rejection) {
      let delivery = try decoder.decode(record.value)
      guard delivery.channel == .inapp else {
        throw Rejection(
          .invalidAttribute,
          "The delivery is for the channel \"\(delivery.channel.literal)\"; this topic is the inbox's.")
      }
      return .entry(
        renderer.entry(for: delivery), acceptedAt: delivery.items.map(\.acceptedAtMilliseconds))
    } catch {
      logger.error(
        "a delivery cannot be read; it goes to the dead letters",
        metadata: [
          "topic": "\(topic)", "partition": "\(record.partition)", "offset": "\(record.offset)",
          "reason": "\(error)",
        ])
      return .deadLetter(deadLetter(record, error))
    }
  }

  private mutating func deadLetter(_ record: ConsumedRecord, _ rejection: Rejection) -> ProducerRecord {
    let input = InputRecord(key: record.key, value: record.value, headers: record.headers)
    let output = topic.withByteView { topic in
      let position = RecordPosition(topic: topic, partition: record.partition, offset: record.offset)
      let letter = rejections.record(for: input, rejection: rejection, at: position)
      return ProducerRecord(
        topicIndex: 0, key: letter.key.map { Array($0.buffer) }, value: letter.value.map { Array($0.buffer) },
        headers: letter.headers.map { header in
          ProducerRecord.Header(header.name.string, header.value.map { Array($0.buffer) })
        })
    }
    return output
  }
}
