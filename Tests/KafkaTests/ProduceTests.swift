import Foundation
import KafkaTesting
import Synchronization
import Testing

@testable import Kafka

@Suite("Producing and reading")
struct ProduceTests {
  private let cluster: EmbeddedCluster

  init() throws {
    cluster = try EmbeddedCluster(logger: .silent)
    try cluster.createTopic("one", partitionCount: 1)
    try cluster.createTopic("two", partitionCount: 16)
  }

  private func producer(_ properties: [String: String] = [:], topics: [String] = ["one", "two"]) throws
    -> any IdempotentProducer
  {
    let configuration = ClientConfiguration(
      bootstrapServers: cluster.bootstrapServers, properties: properties, logger: .silent)
    return try LibrdkafkaCluster(configuration).makeIdempotentProducer(
      IdempotentProducerOptions(topics: topics))
  }

  @Test("a producer that a fatal error has made useless is made anew")
  func renewed() async throws {
    // CLUSTER_AUTHORIZATION_FAILED, as the answer to InitProducerId.
    cluster.failRequests(apiKey: 22, with: [KafkaError.Code(rawValue: 31)])
    let producer = RenewedProducer(cluster: cluster, options: IdempotentProducerOptions(topics: ["one"]))
    defer { producer.close() }
    let deadline = Deadline()
    var failures = 0
    while true {
      do {
        _ = try await producer.send(TextRecord(partition: 0, value: "v").producerRecord)
        break
      } catch {
        failures += 1
        try deadline.check("a producer that works")
      }
    }
    #expect(failures > 0)
    producer.close()
    let error = await #expect(throws: KafkaError.self) {
      _ = try await producer.send(TextRecord(partition: 0, value: "v").producerRecord)
    }
    #expect(error?.code == .closed)
  }

  @Test("null, empty and filled keys, values and headers come back as they went in")
  func roundTrip() async throws {
    let records = [
      TextRecord(partition: 0, key: nil, value: nil),
      TextRecord(partition: 0, key: "", value: ""),
      TextRecord(
        partition: 0, key: "k", value: nil, headers: [.init("a", nil), .init("a", ""), .init("", "x")]),
      TextRecord(partition: 0, key: nil, value: "ü\0z", headers: (0..<40).map { .init("h\($0)", "v\($0)") }),
      TextRecord(partition: 0, key: "k", value: "last"),
    ]
    let producer = try producer()
    for (offset, record) in records.enumerated() {
      let place = try await producer.send(record.producerRecord)
      #expect(place.partition == 0 && place.offset == Int64(offset))
    }
    let reader = try TestReader(cluster, topics: ["one"])
    let events = try reader.events { $0.last?.end != nil }
    let read = events.compactMap { event -> TextRecord? in
      if case .record(let record, _) = event { record } else { nil }
    }
    #expect(read == records)
    #expect(events.last?.end == 5)
  }

  @Test("a record has the time at which it was produced or appended")
  func timestamps() async throws {
    let before = Int64(Date.now.timeIntervalSince1970 * 1000)
    _ = try await producer().send(TextRecord(value: "v").producerRecord)
    let reader = try cluster.makeLogReader(LogReaderOptions(topics: ["one"], isolation: .readCommitted))
    try reader.assign([PartitionOffset(TopicPartition(topic: "one", partition: 0), offset: 0)])
    let deadline = Deadline()
    while true {
      try deadline.check("the record")
      guard case .record(let record) = reader.poll(timeout: .milliseconds(50)) else { continue }
      #expect(record.timestampMilliseconds >= before)
      #expect(record.timestampMilliseconds <= Int64(Date.now.timeIntervalSince1970 * 1000))
      #expect(record.headers.isEmpty)
      return
    }
  }

  @Test("a record knows the index of its topic, whatever the order of topics")
  func topicIndex() async throws {
    let producer = try producer()
    _ = try await producer.send(TextRecord(topicIndex: 1, partition: 3, value: "of two").producerRecord)
    _ = try await producer.send(TextRecord(topicIndex: 0, partition: 0, value: "of one").producerRecord)
    let reader = try TestReader(
      cluster, topics: ["two", "absent", "one"],
      from: [
        PartitionOffset(TopicPartition(topic: "one", partition: 0), offset: 0),
        PartitionOffset(TopicPartition(topic: "two", partition: 3), offset: 0),
      ])
    let events = try reader.events { events in events.count { $0.value != nil } == 2 }
    for case .record(let record, _) in events {
      #expect(record.topicIndex == (record.value == "of one" ? 2 : 0))
    }
  }

  // Hashes of Kafka's own org.apache.kafka.common.utils.UtilsTest.testMurmur2.
  @Test(
    "a key goes to the partition that Kafka's own producer gives it",
    arguments: [
      ("21", Int32(-973_932_308)), ("foobar", -790_332_482), ("a-little-bit-long-string", -985_981_536),
      ("a-little-bit-longer-string", -1_486_304_829),
      ("lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58_897_971), ("abc", 479_470_107),
    ])
  func partitioner(key: String, murmur2: Int32) async throws {
    let place = try await producer().send(TextRecord(topicIndex: 1, key: key, value: "v").producerRecord)
    #expect(place.partition == (murmur2 & 0x7fff_ffff) % 16)
  }

  @Test("a record up to the limit is taken and one above it is refused, keys and headers counted")
  func messageSize() async throws {
    let options = IdempotentProducerOptions(topics: ["one"], messageMaxBytes: 2000)
    let producer = try cluster.makeIdempotentProducer(options)
    func record(_ count: Int) -> ProducerRecord {
      TextRecord(key: "k", value: String(repeating: "x", count: count)).producerRecord
    }
    _ = try await producer.send(record(1900))
    let error = await #expect(throws: KafkaError.self) { _ = try await producer.send(record(2000)) }
    #expect(error?.code == .messageTooLarge)
    let headers = [TextRecord.Header("h", String(repeating: "x", count: 1500))]
    let wide = TextRecord(value: String(repeating: "x", count: 600), headers: headers)
    let headerError = await #expect(throws: KafkaError.self) {
      _ = try await producer.send(wide.producerRecord)
    }
    #expect(headerError?.code == .messageTooLarge)
    producer.close()
  }

  @Test("a full queue is back-pressure: the call may be repeated")
  func queueFull() throws {
    // No broker answers there, so that nothing leaves the queue.
    let configuration = ClientConfiguration(
      bootstrapServers: "127.0.0.1:1", properties: ["queue.buffering.max.messages": "5"], logger: .silent)
    let producer = try LibrdkafkaCluster(configuration).makeIdempotentProducer(
      IdempotentProducerOptions(topics: ["one"]))
    let reports = Mutex(0)
    var error: KafkaError?
    for _ in 0..<6 {
      do throws(KafkaError) {
        try TextRecord(value: "v").producerRecord.withViews { (views) throws(KafkaError) in
          try producer.produce(views) { _ in reports.withLock { $0 += 1 } }
        }
      } catch let failure {
        error = failure
      }
    }
    #expect(error?.code == .queueFull)
    #expect(error?.disposition == .retry)
    producer.close()
    #expect(reports.withLock { $0 } == 5)
  }

  @Test(
    "what a closed producer had queued is reported as purged, exactly once, and nothing is taken any more")
  func closeReports() throws {
    let configuration = ClientConfiguration(bootstrapServers: "127.0.0.1:1", logger: .silent)
    let producer = try LibrdkafkaCluster(configuration).makeIdempotentProducer(
      IdempotentProducerOptions(topics: ["one"]))
    let results = Mutex<[KafkaError.Code?]>([])
    func produce() throws(KafkaError) {
      try TextRecord(value: "v").producerRecord.withViews { (views) throws(KafkaError) in
        try producer.produce(views) { result in
          results.withLock {
            if case .failure(let error) = result { $0.append(error.code) } else { $0.append(nil) }
          }
        }
      }
    }
    for _ in 0..<3 { try produce() }
    let flush = #expect(throws: KafkaError.self) { try producer.flush(timeout: .milliseconds(20)) }
    #expect(flush?.code == .timedOut && flush?.message.contains("3 records") == true)
    producer.close()
    producer.close()
    #expect(results.withLock { $0 } == [.purgedFromQueue, .purgedFromQueue, .purgedFromQueue])
    let refused = #expect(throws: KafkaError.self) { try produce() }
    #expect(refused?.code == .closed)
  }

  @Test("a producer may be dropped inside its own delivery report")
  func dropInReport() async throws {
    final class Holder: Sendable {
      let producer: Mutex<(any IdempotentProducer)?>
      init(_ producer: any IdempotentProducer) { self.producer = Mutex(producer) }
    }
    let holder = Holder(try producer())
    let metadata = await withCheckedContinuation { continuation in
      let producer = holder.producer.withLock { $0 }
      try? TextRecord(value: "v").producerRecord.withViews { (views) throws(KafkaError) in
        try producer?.produce(views) { result in
          holder.producer.withLock { $0 = nil }
          continuation.resume(returning: try? result.get())
        }
      }
    }
    #expect(metadata?.partition == 0 && metadata?.offset == 0)
  }

  @Test("flushing waits for all reports")
  func flush() throws {
    let producer = try producer()
    let delivered = Mutex(0)
    for index in 0..<1000 {
      try TextRecord(topicIndex: 1, key: "\(index)", value: "v").producerRecord.withViews {
        (views) throws(KafkaError) in
        try producer.produce(views) { result in
          if case .success = result { delivered.withLock { $0 += 1 } }
        }
      }
    }
    try producer.flush(timeout: .seconds(20))
    #expect(delivered.withLock { $0 } == 1000)
  }

  @Test("a topic index that the producer was not made with is refused")
  func wrongIndex() async throws {
    let producer = try producer()
    for index in [-1, 2] {
      let error = await #expect(throws: KafkaError.self) {
        _ = try await producer.send(TextRecord(topicIndex: index, value: "v").producerRecord)
      }
      #expect(error?.code == .invalidArgument)
    }
  }
}
