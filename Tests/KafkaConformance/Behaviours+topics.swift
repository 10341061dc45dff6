import Kafka
import KafkaTesting

extension Behaviour {
  /// Topics, records and admin requests.
  static let topics = [
    Behaviour("topic-settings", "a topic has the settings it was created with, defaults included") { kafka in
      let settings = [
        "message.timestamp.type": "LogAppendTime", "max.message.bytes": "400000", "retention.ms": "-1",
      ]
      let topic = try kafka.createTopic(partitions: 3, configuration: settings)
      let configuration = try kafka.cluster.admin.configuration(ofTopic: topic, timeout: kafka.patience)
      for (name, value) in settings { try expect(configuration[name], is: value, name) }
      try expect(configuration["cleanup.policy"], is: "delete", "cleanup.policy")
    },
    Behaviour("topic-listed", "a topic is listed with its partitions as soon as it is created") { kafka in
      let topic = try kafka.createTopic(partitions: 3)
      let described = try kafka.cluster.admin.topics(timeout: kafka.patience).first { $0.name == topic }
      let expected = TopicDescription(name: topic, partitionCount: 3, replicationFactor: 1)
      try expect(described, is: expected, "the description")
    },
    Behaviour("topic-exists", "a topic that is there is refused with its name") { kafka in
      let topic = try kafka.createTopic()
      let error = try expectError("creating it again") { () throws(KafkaError) in
        try kafka.cluster.admin.create(
          [NewTopic(name: topic, partitionCount: 1, replicationFactor: 1)], timeout: kafka.patience)
      }
      try expect(error.code, is: .topicAlreadyExists, "the code")
      try expect(error.message.contains(topic), "“\(error.message)” names the topic")
    },
    Behaviour("topic-setting-refused", "a setting that is none is refused with the name of the topic") {
      kafka in
      let name = kafka.unique("refused")
      let error = try expectError("creating it") { () throws(KafkaError) in
        try kafka.cluster.admin.create(
          [NewTopic(name: name, partitionCount: 1, configuration: ["cleanup.policy": "sometimes"])],
          timeout: kafka.patience)
      }
      try expect(error.message.contains(name), "“\(error.message)” names the topic")
      let absent = try expectError("asking for its settings") { () throws(KafkaError) in
        try kafka.cluster.admin.configuration(ofTopic: name, timeout: kafka.patience)
      }
      try expect(absent.code, is: .unknownTopicOrPartition, "the code")
    },
    Behaviour("append-time", "where the broker stamps records, readers and delivery reports have its time") {
      kafka in
      for (type, isAppendTime) in [("LogAppendTime", true), ("CreateTime", false)] {
        let topic = try kafka.createTopic(configuration: ["message.timestamp.type": type])
        let producer = try kafka.producer(topic)
        let deliveries = Deliveries()
        producer.deliveryListener = deliveries
        try producer.begin()
        try producer.produce(TextRecord(partition: 0, value: "v"), tag: 1)
        try producer.commitFully()
        let reported = try deliveries.results[1]?.get().appendedMilliseconds
        let reader = try TestReader(kafka.cluster, topics: [topic])
        try kafka.wait(for: "the record", step: .zero) {
          guard case .record(let record) = reader.poll(timeout: .milliseconds(50)) else { return false }
          try expect(record.isLogAppendTime, is: isAppendTime, "the kind of time with \(type)")
          try expect(record.timestampMilliseconds > 0, "there is a time")
          try expect(
            reported, is: isAppendTime ? record.timestampMilliseconds : nil, "the report with \(type)")
          return true
        }
      }
    },
    Behaviour("offsets-since", "an instant names the first record that was appended at or after it") {
      kafka in
      let topic = try kafka.createTopic(configuration: ["message.timestamp.type": "LogAppendTime"])
      let partition = TopicPartition(topic: topic, partition: 0)
      try kafka.publish(["a"], to: topic)
      kafka.pass(.milliseconds(20))
      try kafka.publish(["b"], to: topic)
      let reader = try TestReader(kafka.cluster, topics: [topic])
      var times: [Int64] = []
      try kafka.wait(for: "both records", step: .zero) {
        guard case .record(let record) = reader.poll(timeout: .milliseconds(50)) else { return false }
        times.append(record.timestampMilliseconds)
        return times.count == 2
      }
      try expect(times[0] < times[1], "the times \(times) differ")
      let asked: [(since: Int64, offset: Int64?)] = [
        (-5, 0), (times[0], 0), (times[0] + 1, 1), (times[1], 1), (times[1] + 3_600_000, nil),
      ]
      for (since, offset) in asked {
        let found = try kafka.cluster.admin.offsets(of: [partition], since: since, timeout: kafka.patience)
        try expect(found, is: [offset], "since \(since) of \(times)")
      }
    },
    Behaviour("record-whole", "keys, tombstones, empty values and repeated headers come as they went") {
      kafka in
      let topic = try kafka.createTopic()
      let records = [
        TextRecord(
          partition: 0, key: "k", value: "v",
          headers: [.init("a", "1"), .init("a", nil), .init("b", ""), .init("a", "2")]),
        TextRecord(partition: 0, key: "k", value: nil), TextRecord(partition: 0, key: nil, value: ""),
        TextRecord(partition: 0, key: "", value: "ü"),
      ]
      try kafka.publish(records, to: topic)
      let reader = try TestReader(kafka.cluster, topics: [topic])
      let events = try reader.events { $0.count >= records.count }
      let read = events.compactMap {
        if case .record(let record, _) = $0 { record } else { nil as TextRecord? }
      }
      try expect(read, is: records, "the records")
    },
    Behaviour("key-partition", "without a partition the key's murmur2 chooses it") { kafka in
      let topic = try kafka.createTopic(partitions: 8)
      // Kafka's own vectors: murmur2("21") = -973932308, ("foobar") = -790332482, ("abc") = 479470107.
      let expected: [String: Int64] = ["21": 4, "foobar": 6, "abc": 3]
      try kafka.publish(expected.keys.sorted().map { TextRecord(key: $0, value: $0) }, to: topic)
      for (key, partition) in expected {
        let place = TopicPartition(topic: topic, partition: Int32(partition))
        try expect(try kafka.values(of: place, upTo: 1), is: [key], "the values of \(place)")
      }
    },
    Behaviour("delete-records", "deleted records are gone, and the log begins behind them") { kafka in
      let topic = try kafka.createTopic()
      let partition = TopicPartition(topic: topic, partition: 0)
      try kafka.publish((0..<10).map { "\($0)" }, to: topic)
      let deleted = try kafka.cluster.admin.deleteRecords(
        before: [PartitionOffset(partition, offset: 7)], timeout: kafka.patience)
      try expect(deleted, is: [PartitionOffset(partition, offset: 7)], "the new beginning")
      let reader = try TestReader(kafka.cluster, topics: [topic])
      let (values, end) = try reader.valuesToEnd()
      try expect(values, is: ["7", "8", "9"], "the values")
      try expect(end, is: 10, "the end")
      try reader.reader.assign([PartitionOffset(partition, offset: 3)])
      let last = try reader.events { $0.last?.error != nil }.last
      try expect(last?.error?.code, is: .noOffset, "the error event")
    },
    Behaviour("delete-behind-end", "deleting behind the end is refused") { kafka in
      let topic = try kafka.createTopic()
      try kafka.publish(["a"], to: topic)
      let error = try expectError("deleting") { () throws(KafkaError) in
        try kafka.cluster.admin.deleteRecords(
          before: [PartitionOffset(TopicPartition(topic: topic, partition: 0), offset: 5)],
          timeout: kafka.patience)
      }
      try expect(error.code, is: .offsetOutOfRange, "the code")
    },
    Behaviour("record-too-large", "a record above the client's limit is refused when it is produced") {
      kafka in
      let topic = try kafka.createTopic()
      let producer = try kafka.cluster.makeIdempotentProducer(
        IdempotentProducerOptions(topics: [topic], messageMaxBytes: 10_000))
      let error = try expectError("producing") { () throws(KafkaError) in
        let value = [UInt8](repeating: 7, count: 20_000)
        try ProducerRecord(topicIndex: 0, partition: 0, key: nil, value: value).withViews {
          (views) throws(KafkaError) in try producer.produce(views) { _ in }
        }
      }
      try expect(error.code, is: .messageTooLarge, "the code")
      producer.close()
    },
    Behaviour(
      "batch-size", "batches stay within a topic's limit that leaves room for one record of the largest size"
    ) { kafka in
      let topic = try kafka.createTopic(configuration: ["max.message.bytes": "110000"])
      let producer = try kafka.cluster.makeTransactionalProducer(
        TransactionalProducerOptions(
          transactionalID: kafka.unique("id"), topics: [topic], messageMaxBytes: 100_000,
          linger: .milliseconds(50)))
      try producer.initTransactions(timeout: kafka.patience)
      var noise: UInt64 = 0x9E37_79B9_7F4A_7C15
      try producer.begin()
      // Noise does not compress: 40 records of 30 kB would be one batch of 1.2 MB by the default batch.size.
      for _ in 0..<40 {
        var words: [UInt64] = []
        for _ in 0..<3750 {
          noise ^= noise << 13
          noise ^= noise >> 7
          noise ^= noise << 17
          words.append(noise)
        }
        let value = words.withUnsafeBytes { Array($0) }
        try ProducerRecord(topicIndex: 0, partition: 0, key: nil, value: value).withViews {
          (views) throws(KafkaError) in
          try producer.produce(
            OutgoingRecord(topicIndex: 0, partition: 0, key: nil, value: views.value))
        }
      }
      try producer.commitFully()
      let partition = TopicPartition(topic: topic, partition: 0)
      var count = 0
      try kafka.read(partition, upTo: 40) { _ in count += 1 }
      try expect(count, is: 40, "the number of records")
    },
  ]
}
