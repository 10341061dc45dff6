import Kafka
import KafkaTesting

extension Behaviour {
  /// Who may not commit any more.
  static let fencing = [
    Behaviour(
      "fenced-by-successor",
      "a younger producer fences the older one, fatally, and finishes what it left open"
    ) {
      kafka in
      let topic = try kafka.createTopic()
      let id = kafka.unique("id")
      let older = try kafka.producer(topic, id: id)
      try older.begin()
      try older.produce(TextRecord(partition: 0, value: "of the zombie"))
      let younger = try kafka.producer(topic, id: id)
      let error = try expectError("committing as a zombie") { () throws(KafkaError) in
        try older.commitOrThrow()
      }
      try expect(error.disposition, is: .fatal, "the disposition of \(error)")
      try expect(error.isFenced, "\(error) says that it is fenced")
      try younger.begin()
      try younger.produce(TextRecord(partition: 0, value: "of the successor"))
      try younger.commitFully()
      try expect(
        try TestReader(kafka.cluster, topics: [topic]).valuesToEnd().values, is: ["of the successor"],
        "the values")
    },
    Behaviour("fenced-at-begin", "a zombie that was idle is fenced with its next transaction") { kafka in
      let topic = try kafka.createTopic()
      let id = kafka.unique("id")
      let older = try kafka.producer(topic, id: id)
      try older.begin()
      try older.produce(TextRecord(partition: 0, value: "before"))
      try older.commitFully()
      let younger = try kafka.producer(topic, id: id)
      try older.begin()
      let error = try expectError("sending as a zombie") { () throws(KafkaError) in
        try older.produce(TextRecord(partition: 0, value: "of the zombie"))
        try older.commitOrThrow()
      }
      try expect(error.disposition, is: .fatal, "the disposition of \(error)")
      try expect(error.isFenced, "\(error) says that it is fenced")
      try younger.begin()
      try younger.commitFully()
      try expect(
        try TestReader(kafka.cluster, topics: [topic]).valuesToEnd().values, is: ["before"], "the values")
    },
    Behaviour("fenced-offsets", "a zombie is fenced when it sends nothing but offsets") { kafka in
      let topic = try kafka.createTopic()
      let id = kafka.unique("id")
      let consumer = try kafka.loner(kafka.unique("group"))
      let partition = TopicPartition(topic: topic, partition: 0)
      let older = try kafka.producer(topic, id: id)
      let younger = try kafka.producer(topic, id: id)
      try older.begin()
      let error = try expectError("sending offsets as a zombie") { () throws(KafkaError) in
        try older.sendOffsets(
          [PartitionOffset(partition, offset: 1)], group: try consumer.groupMetadata(),
          timeout: kafka.patience)
      }
      try expect(error.disposition, is: .fatal, "the disposition of \(error)")
      try expect(error.isFenced, "\(error) says that it is fenced")
      let sent = PartitionOffset(partition, offset: 2)
      try younger.begin()
      try younger.sendOffsets([sent], group: try consumer.groupMetadata(), timeout: kafka.patience)
      try younger.commitFully()
      try expect(
        try consumer.committed([partition], timeout: kafka.patience), is: [sent], "what is committed")
    },
    Behaviour("crash-before-commit", "a successor's registration aborts what a dead process left open") {
      kafka in
      let topic = try kafka.createTopic()
      let id = kafka.unique("id")
      let partition = TopicPartition(topic: topic, partition: 0)
      let consumer = try kafka.loner(kafka.unique("group"))
      let process = kafka.spawn()
      var dead: (any TransactionalProducer)? = try kafka.producer(topic, id: id, of: process.cluster)
      let deliveries = Deliveries()
      dead?.deliveryListener = deliveries
      try dead?.begin()
      try dead?.produce(TextRecord(partition: 0, value: "lost"), tag: 1)
      try dead?.sendOffsets(
        [PartitionOffset(partition, offset: 1)], group: try consumer.groupMetadata(), timeout: kafka.patience)
      try kafka.wait(for: "the delivery") {
        dead?.poll()
        return !deliveries.results.isEmpty
      }
      dead = nil
      process.crash()
      _ = try kafka.producer(topic, id: id)
      try expect(
        try consumer.committed([partition], timeout: kafka.patience), is: [nil], "what is committed")
      let (values, end) = try TestReader(kafka.cluster, topics: [topic]).valuesToEnd()
      try expect(values, is: [], "the values")
      try expect(end, is: 2, "the end behind the marker of the abort")
    },
    Behaviour(
      "unknown-outcome",
      "after a commit that nobody waited for, the successor's registration settles all or nothing"
    ) { kafka in
      let topic = try kafka.createTopic()
      let partition = TopicPartition(topic: topic, partition: 0)
      for round in 0..<5 {
        let id = kafka.unique("id")
        let consumer = try kafka.loner(kafka.unique("group"))
        let first = try kafka.producer(topic, id: id)
        try first.begin()
        try first.produce(TextRecord(partition: 0, value: "\(round)"))
        try first.sendOffsets(
          [PartitionOffset(partition, offset: 1)], group: try consumer.groupMetadata(),
          timeout: kafka.patience)
        _ = try first.commit(timeout: .zero)
        kafka.pass(.milliseconds(round))
        first.close()
        _ = try kafka.producer(topic, id: id)
        let committed = try consumer.committed([partition], timeout: kafka.patience)
        let range = try kafka.cluster.admin.offsets(
          of: [partition], isolation: .readUncommitted, timeout: kafka.patience)
        let values = try kafka.values(of: partition, upTo: range.first?.latest ?? 0)
        try expect(
          values.contains("\(round)"), is: committed != [nil],
          "round \(round): whether the record is in, as its offset")
      }
    },
    Behaviour(
      "timed-out", "the coordinator aborts a transaction that is over its time, and its producer is fenced"
    ) { kafka in
      let topic = try kafka.createTopic()
      let partition = TopicPartition(topic: topic, partition: 0)
      let consumer = try kafka.loner(kafka.unique("group"))
      let producer = try kafka.producer(topic, transactionTimeout: .seconds(1))
      try producer.begin()
      try producer.produce(TextRecord(partition: 0, value: "late"))
      try producer.sendOffsets(
        [PartitionOffset(partition, offset: 1)], group: try consumer.groupMetadata(), timeout: kafka.patience)
      // A second of transaction and ten of the coordinator's scan.
      try kafka.wait(for: "the abort", within: .seconds(20), step: .milliseconds(200)) {
        do throws(KafkaError) {
          return try consumer.committed([partition], timeout: .seconds(1)) == [nil]
        } catch {
          guard error.disposition == .retry else { throw error }
          return false
        }
      }
      try expect(
        try TestReader(kafka.cluster, topics: [topic]).valuesToEnd().values, is: [], "the values")
      let error = try expectError("committing afterwards") { () throws(KafkaError) in
        try producer.commitOrThrow()
      }
      try expect(error.disposition, is: .fatal, "the disposition of \(error)")
      try expect(error.isFenced, "\(error) says that it is fenced")
    },
    Behaviour(
      "stale-generation", "offsets in the name of an older generation are refused: the transaction is lost"
    ) {
      kafka in
      let topic = try kafka.createTopic(partitions: 2)
      let partition = TopicPartition(topic: topic, partition: 0)
      let group = kafka.unique("group")
      let first = try kafka.member(topic, group: group)
      let stale = try first.consumer.groupMetadata()
      let second = try TestMember(
        kafka.cluster, GroupConsumerOptions(groupID: group, offsetReset: .error), topics: [topic])
      try kafka.poll([first, second], within: .seconds(60), for: "a rebalance") {
        !second.assigned.isEmpty && first.assigned.count == 1
      }
      let producer = try kafka.producer(topic)
      try producer.begin()
      let error = try expectError("sending offsets") { () throws(KafkaError) in
        try producer.sendOffsets(
          [PartitionOffset(partition, offset: 1)], group: stale, timeout: kafka.patience)
      }
      try expect(error.disposition, is: .abort, "the disposition of \(error)")
      try expect(error.code, is: .illegalGeneration, "the code")
      try producer.abort(timeout: kafka.patience)
      // The same producer with the membership of the moment.
      try producer.begin()
      try producer.sendOffsets(
        [PartitionOffset(partition, offset: 2)], group: try first.consumer.groupMetadata(),
        timeout: kafka.patience)
      try producer.commitFully()
      try expect(
        try first.consumer.committed([partition], timeout: kafka.patience),
        is: [PartitionOffset(partition, offset: 2)], "what is committed")
      try first.consumer.close()
      try second.consumer.close()
    },
    Behaviour(
      "unknown-member", "offsets in the name of a member that left are refused: the transaction is lost"
    ) {
      kafka in
      let topic = try kafka.createTopic()
      let partition = TopicPartition(topic: topic, partition: 0)
      let group = kafka.unique("group")
      let first = try kafka.member(topic, group: group)
      let stale = try first.consumer.groupMetadata()
      try first.consumer.close()
      let second = try kafka.member(topic, group: group)
      let producer = try kafka.producer(topic)
      try producer.begin()
      let error = try expectError("sending offsets") { () throws(KafkaError) in
        try producer.sendOffsets(
          [PartitionOffset(partition, offset: 1)], group: stale, timeout: kafka.patience)
      }
      try expect(error.disposition, is: .abort, "the disposition of \(error)")
      try expect(error.code, is: .unknownMember, "the code")
      let commit = try expectError("committing all the same") { () throws(KafkaError) in
        try producer.commitOrThrow()
      }
      try expect(commit.disposition, is: .abort, "the disposition of \(commit)")
      try producer.abort(timeout: kafka.patience)
      try second.consumer.close()
    },
    Behaviour(
      "fenced-instance",
      "offsets in the name of a static member whose instance another took are refused: the transaction is lost"
    ) { kafka in
      let topic = try kafka.createTopic()
      let partition = TopicPartition(topic: topic, partition: 0)
      let group = kafka.unique("group")
      let older = try kafka.member(topic, group: group, instance: "a")
      let stale = try older.consumer.groupMetadata()
      let younger = try kafka.member(topic, group: group, instance: "a", of: kafka.spawn().cluster)
      let producer = try kafka.producer(topic)
      try producer.begin()
      let error = try expectError("sending offsets") { () throws(KafkaError) in
        try producer.sendOffsets(
          [PartitionOffset(partition, offset: 1)], group: stale, timeout: kafka.patience)
      }
      try expect(error.disposition, is: .abort, "the disposition of \(error)")
      try expect(error.code, is: .fencedInstanceID, "the code")
      try producer.abort(timeout: kafka.patience)
      try younger.consumer.close()
      try? older.consumer.close()
    },
  ]
}

extension TransactionalProducer {
  /// Commits, and throws what Kafka's client throws.
  func commitOrThrow() throws(KafkaError) {
    while try commit(timeout: .milliseconds(200)) == .pending {}
  }
}
