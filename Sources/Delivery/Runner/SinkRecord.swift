import Contract
import Kafka

/// A record of the delivery topic with its own memory: it outlives the poll that brought it.
struct SinkRecord: Sendable {
  let topic: String
  let partition: Int32
  let offset: Int64
  let timestampMilliseconds: Int64
  let key: [UInt8]?
  let value: [UInt8]?
  let headers: [ProducerRecord.Header]

  init(_ record: ConsumedRecord, topic: String) {
    self.topic = topic
    partition = record.partition
    offset = record.offset
    timestampMilliseconds = record.timestampMilliseconds
    key = record.key.map { Array($0.buffer) }
    value = record.value.map { Array($0.buffer) }
    headers = record.headers.map { header in
      ProducerRecord.Header(header.name.string, header.value.map { Array($0.buffer) })
    }
  }

  /// The memory that it takes, about.
  var byteCount: Int {
    headers.reduce((key?.count ?? 0) + (value?.count ?? 0) + 200) {
      $0 + $1.name.utf8.count + ($1.value?.count ?? 0)
    }
  }

  /// The key for people: the recipient.
  var keyText: String { key.map { String(decoding: $0, as: UTF8.self) } ?? "(none)" }
}
