import Kafka
import KafkaTesting

extension Behaviour {
  /// What polls bring.
  static let fetching = [
    Behaviour("end-once", "an end is said once, and again when there was more") { kafka in
      let topic = try kafka.createTopic()
      try kafka.publish(["a"], to: topic)
      let reader = try TestReader(kafka.cluster, topics: [topic])
      try expect(try reader.valuesToEnd().end, is: 1, "the first end")
      var again = 0
      for _ in 0..<40 { if case .endOfPartition = reader.poll(timeout: .milliseconds(50)) { again += 1 } }
      try expect(again, is: 0, "the ends that follow")
      try kafka.publish(["b"], to: topic)
      let (values, end) = try reader.valuesToEnd()
      try expect(values, is: ["b"], "what follows")
      try expect(end, is: 2, "the second end")
    },
    Behaviour("end-of-empty", "an empty partition has an end, too") { kafka in
      let topic = try kafka.createTopic()
      let (values, end) = try TestReader(kafka.cluster, topics: [topic]).valuesToEnd()
      try expect(values, is: [], "the values")
      try expect(end, is: 0, "the end")
    },
    Behaviour("end-behind-markers", "the end lies behind the markers, so that committing it leaves no lag") {
      kafka in
      let topic = try kafka.createTopic()
      let producer = try kafka.producer(topic)
      try producer.begin()
      for value in ["a", "b"] { try producer.produce(TextRecord(partition: 0, value: value)) }
      try producer.commitFully()
      let (values, end) = try TestReader(kafka.cluster, topics: [topic]).valuesToEnd()
      try expect(values, is: ["a", "b"], "the values")
      let range = try kafka.cluster.admin.offsets(
        of: [TopicPartition(topic: topic, partition: 0)], isolation: .readCommitted, timeout: kafka.patience)
      try expect(end, is: 3, "the end")
      try expect(range.first?.latest, is: 3, "the end as the broker says it")
    },
    Behaviour(
      "read-ahead",
      "who fetches little ahead does not wait for more, and gets batches that are larger than a fetch, too"
    ) { kafka in
      let topic = try kafka.createTopic(partitions: 2)
      try kafka.publish(batches: Self.numbers(100), to: topic)
      // Of numbers that are not compressed to the size of a fetch.
      let large = (1...20_000).map { String($0 * 2_654_435_761 % 1_000_000_007, radix: 36) }.joined()
      try kafka.publish([large], to: topic, partition: 1)
      let member = try kafka.member(topic, readAhead: ReadAhead(messages: 50, partitionBytes: 1_000))
      // A client that looks for more once a second would take a minute.
      let values = try member.values(5_001)
      try expect(values.filter { $0 != large }, is: (0..<5_000).map { "\($0)" }, "the small ones")
      try expect(values.count { $0 == large }, is: 1, "the number of large ones")
      try member.consumer.close()
    },
    Behaviour(
      "read-ahead-seeks", "who fetches little ahead does not wait for more behind seeks and pauses, either"
    ) { kafka in
      let topic = try kafka.createTopic()
      let partition = TopicPartition(topic: topic, partition: 0)
      try kafka.publish(batches: Self.numbers(120), to: topic)
      let member = try kafka.member(topic, readAhead: ReadAhead(messages: 50, partitionBytes: 1_000))
      _ = try member.values(1)
      let start = kafka.milliseconds
      for round in 0..<60 {
        let first = round * 97 % 5_000
        try member.consumer.seek([PartitionOffset(partition, offset: Int64(first))])
        try expect(try member.values(3), is: (first..<first + 3).map { "\($0)" }, "behind a seek")
        try member.consumer.pause([partition])
        try member.consumer.resume([partition])
        try expect(try member.values(60), is: (first + 3..<first + 63).map { "\($0)" }, "behind a pause")
      }
      // A client that looks for more once a second would take more than a minute.
      try expect(kafka.milliseconds - start < 30_000, "it took \(kafka.milliseconds - start) ms")
      try member.consumer.close()
    },
    Behaviour("logical-offsets", "beginning and end are resolved when they are assigned") { kafka in
      let topic = try kafka.createTopic()
      let partition = TopicPartition(topic: topic, partition: 0)
      try kafka.publish(["a", "b"], to: topic)
      let reader = try TestReader(
        kafka.cluster, topics: [topic], from: [PartitionOffset(partition, offset: PartitionOffset.beginning)])
      try expect(try reader.valuesToEnd().values, is: ["a", "b"], "from the beginning")
      try reader.reader.assign([PartitionOffset(partition, offset: PartitionOffset.end)])
      try expect(try reader.valuesToEnd().end, is: 2, "from the end")
    },
    Behaviour("seek-hides", "a seek hides what was fetched before") { kafka in
      let topic = try kafka.createTopic()
      let partition = TopicPartition(topic: topic, partition: 0)
      try kafka.publish((0..<100).map { "\($0)" }, to: topic)
      let member = try kafka.member(topic)
      try expect(try member.values(3), is: ["0", "1", "2"], "the first values")
      try member.consumer.seek([PartitionOffset(partition, offset: 50)])
      try expect(try member.values(2), is: ["50", "51"], "forward")
      try member.consumer.seek([PartitionOffset(partition, offset: 10)])
      try expect(try member.values(2), is: ["10", "11"], "back")
      try member.consumer.close()
    },
    Behaviour(
      "pause", "a paused partition brings nothing, also of what was fetched, and goes on where it was"
    ) {
      kafka in
      let topic = try kafka.createTopic(partitions: 2)
      let partition = TopicPartition(topic: topic, partition: 0)
      try kafka.publish((0..<20).map { "\($0)" }, to: topic)
      let member = try kafka.member(topic)
      try expect(try member.values(2), is: ["0", "1"], "the first values")
      try member.consumer.pause([partition])
      for _ in 0..<20 {
        if case .record(let record) = member.poll(timeout: .milliseconds(20)) {
          throw Otherwise(description: "offset \(record.offset) came while its partition was paused")
        }
      }
      try kafka.publish(["other"], to: topic, partition: 1)
      try expect(try member.values(1), is: ["other"], "another partition meanwhile")
      try member.consumer.resume([partition])
      try expect(try member.values(2), is: ["2", "3"], "what follows")
      try member.consumer.close()
    },
    Behaviour("seek-paused", "a partition that is sought while it is paused stays paused") { kafka in
      let topic = try kafka.createTopic()
      let partition = TopicPartition(topic: topic, partition: 0)
      try kafka.publish((0..<20).map { "\($0)" }, to: topic)
      let member = try kafka.member(topic)
      _ = try member.values(1)
      try member.consumer.pause([partition])
      try member.consumer.seek([PartitionOffset(partition, offset: 15)])
      for _ in 0..<20 {
        if case .record = member.poll(timeout: .milliseconds(20)) {
          throw Otherwise(description: "a record of a paused partition")
        }
      }
      try member.consumer.resume([partition])
      try expect(try member.values(2), is: ["15", "16"], "behind the resume")
      try member.consumer.close()
    },
    Behaviour("assign-resumes", "nothing of an assignment is paused, whatever was before") { kafka in
      let topic = try kafka.createTopic()
      let partition = TopicPartition(topic: topic, partition: 0)
      try kafka.publish(["a", "b", "c"], to: topic)
      let member = try kafka.member(topic)
      try member.consumer.pause([partition])
      try member.consumer.unassign()
      try member.consumer.assign([PartitionOffset(partition, offset: 0)])
      try expect(try member.values(3), is: ["a", "b", "c"], "after an unassign")
      try member.consumer.pause([partition])
      try member.consumer.assign([PartitionOffset(partition, offset: 1)])
      try expect(try member.values(2), is: ["b", "c"], "after another assign")
      try member.consumer.close()
    },
    Behaviour(
      "out-of-range", "a position outside of the log is an error event once, and other partitions are read"
    ) { kafka in
      let topic = try kafka.createTopic(partitions: 2)
      try kafka.publish(["a"], to: topic, partition: 1)
      let reader = try TestReader(
        kafka.cluster, topics: [topic],
        from: [
          PartitionOffset(TopicPartition(topic: topic, partition: 0), offset: 1000),
          PartitionOffset(TopicPartition(topic: topic, partition: 1), offset: 0),
        ])
      let events = try reader.events { events in
        events.contains { $0.error != nil } && events.contains { $0.value != nil }
      }
      try expect(events.compactMap(\.error?.code), is: [.noOffset], "the errors")
      try expect(events.compactMap(\.value), is: ["a"], "the other partition")
    },
    Behaviour("reset-earliest", "a consumer that may reset begins at the first record there is") { kafka in
      let topic = try kafka.createTopic()
      try kafka.publish(["a", "b"], to: topic)
      let member = try TestMember(
        kafka.cluster, GroupConsumerOptions(groupID: kafka.unique("group"), offsetReset: .earliest),
        topics: [topic], start: 1000)
      try expect(try member.values(2), is: ["a", "b"], "the values")
      try member.consumer.close()
    },
    Behaviour("watermarks", "the watermarks are the beginning, and the end by isolation") { kafka in
      let topic = try kafka.createTopic()
      let partition = TopicPartition(topic: topic, partition: 0)
      try kafka.publish(["a", "b"], to: topic)
      let producer = try kafka.producer(topic)
      let deliveries = Deliveries()
      producer.deliveryListener = deliveries
      try producer.begin()
      try producer.produce(TextRecord(partition: 0, value: "open"), tag: 1)
      try kafka.wait(for: "the delivery") {
        producer.poll()
        return !deliveries.results.isEmpty
      }
      for (isolation, end) in [(IsolationLevel.readCommitted, Int64(2)), (.readUncommitted, 3)] {
        let reader = try kafka.cluster.makeLogReader(LogReaderOptions(topics: [topic], isolation: isolation))
        let (low, high) = try reader.watermarks(of: partition, timeout: kafka.patience)
        try expect([low, high], is: [0, end], "the watermarks \(isolation)")
        let range = try kafka.cluster.admin.offsets(
          of: [partition], isolation: isolation, timeout: kafka.patience)
        let expected = OffsetRange(topicPartition: partition, earliest: 0, latest: end)
        try expect(range, is: [expected], "the admin's answer \(isolation)")
        reader.close()
      }
      try producer.abort(timeout: kafka.patience)
    },
    Behaviour("cached-watermark", "a consumer knows the end of a partition that it reads without asking") {
      kafka in
      let topic = try kafka.createTopic()
      let partition = TopicPartition(topic: topic, partition: 0)
      try kafka.publish(["a", "b"], to: topic)
      let member = try kafka.member(topic)
      _ = try member.valuesToEnd()
      try expect(member.consumer.cachedHighWatermark(of: partition), is: 2, "the end")
      try member.consumer.close()
    },
  ]

  /// So many batches of fifty records each, whose values count them.
  private static func numbers(_ batches: Int) -> [[TextRecord]] {
    (0..<batches).map { batch in
      (0..<50).map { TextRecord(partition: 0, value: "\(batch * 50 + $0)") }
    }
  }
}

extension KafkaUnderTest {
  /// A lone member of a group of its own that has its partitions, from their beginning.
  func member(
    _ topic: String, group: String? = nil, instance: String? = nil, readAhead: ReadAhead? = nil,
    of other: (any KafkaCluster)? = nil
  ) throws -> TestMember {
    let member = try TestMember(
      other ?? cluster,
      GroupConsumerOptions(
        groupID: group ?? unique("group"), groupInstanceID: instance, offsetReset: .error,
        readAhead: readAhead, sessionTimeout: .seconds(6)), topics: [topic])
    try wait(for: "an assignment", within: .seconds(40)) { member.pollForAssignment(timeout: .zero) }
    return member
  }
}
