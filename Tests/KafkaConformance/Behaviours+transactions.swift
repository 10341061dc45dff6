import Kafka
import KafkaTesting

extension Behaviour {
  /// Transactions of one producer.
  static let transactions = [
    Behaviour(
      "offsets-unstable", "offsets sent in a transaction are unstable until it commits, and then the group's"
    ) { kafka in
      let topic = try kafka.createTopic()
      let partition = TopicPartition(topic: topic, partition: 0)
      let group = kafka.unique("group")
      let consumer = try kafka.loner(group)
      let producer = try kafka.producer(topic)
      try expect(
        try consumer.committed([partition], timeout: kafka.patience), is: [nil], "what is committed at first")
      try producer.begin()
      try producer.produce(TextRecord(partition: 0, value: "v"))
      let sent = PartitionOffset(partition, offset: 5, metadata: "m")
      try producer.sendOffsets([sent], group: try consumer.groupMetadata(), timeout: kafka.patience)
      let error = try expectError("asking meanwhile") { () throws(KafkaError) in
        try consumer.committed([partition], timeout: .seconds(2))
      }
      try expect(error.disposition, is: .retry, "the disposition")
      try producer.commitFully()
      try expect(
        try consumer.committed([partition], timeout: kafka.patience), is: [sent], "what is committed")
      try expect(
        try kafka.cluster.admin.committedOffsets(ofGroup: group, timeout: kafka.patience), is: [sent],
        "what the admin says")
    },
    Behaviour("values-kept", "values that are kept in place of being copied arrive as they are") { kafka in
      let topic = try kafka.createTopic()
      let producer = try kafka.producer(topic)
      let deliveries = Deliveries()
      producer.deliveryListener = deliveries
      // Large ones do not go into a request by a copy.
      let values = ["", "small", String(repeating: "large", count: 20_000)]
      for round in 0..<3 {
        try producer.begin()
        for value in values {
          try producer.produce(kept: TextRecord(partition: 0, value: "\(round) \(value)"))
        }
        try producer.commitFully()
        try producer.begin()
        for value in values {
          try producer.produce(
            kept: TextRecord(partition: 0, value: "taken back \(value)"), tag: UInt64(round + 1))
        }
        // Only what the broker has can be aborted there.
        try kafka.wait(for: "the delivery in round \(round)") {
          producer.poll()
          return deliveries.offsets[UInt64(round + 1)] != nil
        }
        try producer.abort(timeout: kafka.patience)
      }
      let read = try TestReader(kafka.cluster, topics: [topic]).valuesToEnd().values
      // Who sees aborted records is another behaviour.
      try expect(
        read.compactMap(\.self).filter { !$0.hasPrefix("taken back") },
        is: (0..<3).flatMap { round in values.map { "\(round) \($0)" } }, "the values")
    },
    Behaviour("aborted-early", "a transaction that is aborted early ends, or costs its producer") {
      kafka in
      let topic = try kafka.createTopic()
      let id = kafka.unique("id")
      var producer = try kafka.producer(topic, id: id)
      for round in 0..<10 {
        try producer.begin()
        try producer.produce(TextRecord(partition: 0, value: "\(round)"))
        try producer.commitFully()
        try producer.begin()
        try producer.produce(TextRecord(partition: 0, value: "taken back"))
        // From before the partition is registered to when the coordinator has had time for it.
        kafka.pass(.milliseconds(round))
        do throws(KafkaError) {
          try producer.abort(timeout: kafka.patience)
        } catch {
          // The coordinator was still busy with the one before, and has not heard of it.
          try expect(error.disposition, is: .fatal, "the disposition of \(error)")
          try expect(error.code, is: .invalidTransactionState, "the code of \(error)")
          producer.close()
          producer = try kafka.producer(topic, id: id)
        }
      }
      let read = try TestReader(kafka.cluster, topics: [topic]).valuesToEnd().values
      // Who sees aborted records is another behaviour.
      try expect(
        read.compactMap(\.self).filter { $0 != "taken back" }, is: (0..<10).map { "\($0)" }, "the values")
    },
    Behaviour("offsets-aborted", "offsets of an aborted transaction are forgotten") { kafka in
      let topic = try kafka.createTopic()
      let partition = TopicPartition(topic: topic, partition: 0)
      let consumer = try kafka.loner(kafka.unique("group"))
      let producer = try kafka.producer(topic)
      try producer.begin()
      try producer.produce(TextRecord(partition: 0, value: "v"))
      try producer.sendOffsets(
        [PartitionOffset(partition, offset: 5)], group: try consumer.groupMetadata(), timeout: kafka.patience)
      try producer.abort(timeout: kafka.patience)
      try expect(
        try consumer.committed([partition], timeout: kafka.patience), is: [nil], "what is committed")
    },
    Behaviour("offsets-only", "a transaction may hold nothing but offsets") { kafka in
      let topic = try kafka.createTopic()
      let partition = TopicPartition(topic: topic, partition: 0)
      let consumer = try kafka.loner(kafka.unique("group"))
      let producer = try kafka.producer(topic)
      try producer.begin()
      let sent = PartitionOffset(partition, offset: 5)
      try producer.sendOffsets([sent], group: try consumer.groupMetadata(), timeout: kafka.patience)
      try producer.commitFully()
      try expect(
        try consumer.committed([partition], timeout: kafka.patience), is: [sent], "what is committed")
    },
    Behaviour("offsets-repeated", "sendOffsets may be repeated with the same arguments") { kafka in
      let topic = try kafka.createTopic(partitions: 2)
      let sent = (0..<2).map {
        PartitionOffset(TopicPartition(topic: topic, partition: $0), offset: Int64($0) + 5)
      }
      let consumer = try kafka.loner(kafka.unique("group"))
      let producer = try kafka.producer(topic)
      try producer.begin()
      for _ in 0..<3 {
        try producer.sendOffsets(sent, group: try consumer.groupMetadata(), timeout: kafka.patience)
      }
      try producer.commitFully()
      try expect(
        try consumer.committed(sent.map(\.topicPartition), timeout: kafka.patience), is: sent,
        "what is committed")
    },
    Behaviour(
      "offsets-in-background",
      "sendOffsets with no time-out does not wait, and nothing else is taken until they are in"
    ) { kafka in
      let topic = try kafka.createTopic()
      let sent = PartitionOffset(TopicPartition(topic: topic, partition: 0), offset: 5)
      let consumer = try kafka.loner(kafka.unique("group"))
      let producer = try kafka.producer(topic)
      let group = try consumer.groupMetadata()
      try producer.begin()
      try producer.produce(TextRecord(partition: 0, value: "v"))
      // A thread that is held up may find them in at once.
      if try !producer.sendOffsets([sent], group: group, timeout: .zero) {
        let commit = try expectError("committing meanwhile") { () throws(KafkaError) in
          _ = try producer.commit(timeout: .zero)
        }
        try expect(commit.code, is: .wrongState, "the code of \(commit)")
        let produce = try expectError("producing meanwhile") { () throws(KafkaError) in
          try producer.produce(TextRecord(partition: 0, value: "w"))
        }
        try expect(produce.code, is: .wrongState, "the code of \(produce)")
      }
      try kafka.wait(for: "the offsets") { try producer.sendOffsets([sent], group: group, timeout: .zero) }
      try producer.commitFully()
      try expect(
        try consumer.committed([sent.topicPartition], timeout: kafka.patience), is: [sent],
        "what is committed")
    },
    Behaviour("offsets-invalid", "sendOffsets without a valid offset is refused: nobody would be fenced") {
      kafka in
      let topic = try kafka.createTopic()
      let consumer = try kafka.loner(kafka.unique("group"))
      let producer = try kafka.producer(topic)
      try producer.begin()
      let error = try expectError("sending no valid offset") { () throws(KafkaError) in
        try producer.sendOffsets(
          [PartitionOffset(TopicPartition(topic: topic, partition: 0), offset: -1001)],
          group: try consumer.groupMetadata(), timeout: kafka.patience)
      }
      try expect(error.code, is: .invalidArgument, "the code")
      try producer.abort(timeout: kafka.patience)
    },
    Behaviour(
      "isolation", "committed readers see neither aborted nor open transactions; uncommitted ones see all"
    ) {
      kafka in
      let topic = try kafka.createTopic()
      let deliveries = Deliveries()
      let producer = try kafka.producer(topic)
      producer.deliveryListener = deliveries
      for (index, value) in ["committed", "aborted", "open"].enumerated() {
        try producer.begin()
        try producer.produce(TextRecord(partition: 0, value: value), tag: UInt64(index + 1))
        // Only what the broker has can be aborted or open there.
        try kafka.wait(for: "the delivery of \(value)") {
          producer.poll()
          return deliveries.offsets[UInt64(index + 1)] != nil
        }
        if value == "committed" { try producer.commitFully() }
        if value == "aborted" { try producer.abort(timeout: kafka.patience) }
      }
      // Offsets 1 and 3 are the markers.
      try expect(deliveries.offsets, is: [1: 0, 2: 2, 3: 4], "the offsets")
      let committed = try TestReader(kafka.cluster, topics: [topic]).valuesToEnd()
      try expect(committed.values, is: ["committed"], "read_committed")
      try expect(committed.end, is: 4, "the end of read_committed")
      let uncommitted = try TestReader(kafka.cluster, topics: [topic], isolation: .readUncommitted)
        .valuesToEnd()
      try expect(uncommitted.values, is: ["committed", "aborted", "open"], "read_uncommitted")
      try expect(uncommitted.end, is: 5, "the end of read_uncommitted")
      try producer.abort(timeout: kafka.patience)
    },
    Behaviour(
      "stable-offset", "an open transaction holds back committed readers from what others wrote behind it"
    ) {
      kafka in
      let topic = try kafka.createTopic()
      let producer = try kafka.producer(topic)
      let deliveries = Deliveries()
      producer.deliveryListener = deliveries
      try producer.begin()
      try producer.produce(TextRecord(partition: 0, value: "first"), tag: 1)
      try kafka.wait(for: "the delivery") {
        producer.poll()
        return !deliveries.results.isEmpty
      }
      try kafka.publish(["second"], to: topic)
      let reader = try TestReader(kafka.cluster, topics: [topic])
      let (values, end) = try reader.valuesToEnd()
      try expect(values, is: [], "what is read meanwhile")
      try expect(end, is: 0, "the end meanwhile")
      try producer.commitFully()
      try expect(try reader.values(2), is: ["first", "second"], "what is read afterwards")
    },
    Behaviour(
      "interleaved", "of transactions that interleave in a partition each is shown or hidden as a whole"
    ) { kafka in
      let topic = try kafka.createTopic()
      let producers = try (0..<3).map { _ in try kafka.producer(topic) }
      let deliveries = Deliveries()
      for producer in producers {
        producer.deliveryListener = deliveries
        try producer.begin()
      }
      for round in 0..<3 {
        for (index, producer) in producers.enumerated() {
          let tag = UInt64(round * 3 + index + 1)
          try producer.produce(TextRecord(partition: 0, value: "\(index).\(round)"), tag: tag)
          try kafka.wait(for: "a delivery") {
            producer.poll()
            return deliveries.results[tag] != nil
          }
        }
      }
      try producers[2].commitFully()
      let reader = try TestReader(kafka.cluster, topics: [topic])
      try expect(try reader.valuesToEnd().values, is: [], "what is read before the first is decided")
      try producers[0].abort(timeout: kafka.patience)
      try producers[1].commitFully()
      let expected = (0..<3).flatMap { ["1.\($0)", "2.\($0)"] }
      try expect(try reader.values(6), is: expected, "what is read then")
    },
    Behaviour(
      "restore-to-uncommitted-end",
      "a committed reader that has passed the end without regard to transactions has seen all that was decided"
    ) { kafka in
      let topic = try kafka.createTopic()
      let partition = TopicPartition(topic: topic, partition: 0)
      let producer = try kafka.producer(topic)
      for round in 0..<20 {
        try producer.begin()
        try producer.produce(TextRecord(partition: 0, value: "\(round)"))
        try producer.commitFully()
        // The commit is decided; its marker may be on its way.
        let range = try kafka.cluster.admin.offsets(
          of: [partition], isolation: .readUncommitted, timeout: kafka.patience)
        let values = try kafka.values(of: partition, upTo: range.first?.latest ?? 0)
        try expect(values, is: (0...round).map { "\($0)" }, "the values of round \(round)")
      }
    },
    Behaviour("commit-driven", "a commit with a time-out of zero is driven to its end over many partitions") {
      kafka in
      let topic = try kafka.createTopic(partitions: 16)
      let producer = try kafka.producer(topic)
      for round in 0..<20 {
        try producer.begin()
        for index in 0..<160 {
          try producer.produce(TextRecord(partition: Int32(index % 16), value: "\(round)"))
        }
        try kafka.wait(for: "commit \(round)", step: .milliseconds(1)) {
          if case .committed = try producer.commit(timeout: .zero) { true } else { false }
        }
      }
      let partitions = (0..<16).map { TopicPartition(topic: topic, partition: $0) }
      // The last commit is decided; its markers may be on their way.
      try kafka.wait(for: "10 records and a marker of each of 20 transactions in every partition") {
        try kafka.cluster.admin.offsets(of: partitions, isolation: .readCommitted, timeout: kafka.patience)
          .allSatisfy { $0.latest == 220 }
      }
    },
    Behaviour("commit-exclusive", "while a commit is under way the producer takes nothing else") { kafka in
      let topic = try kafka.createTopic()
      let producer = try kafka.producer(topic)
      try producer.begin()
      try producer.produce(TextRecord(partition: 0, value: "v"))
      guard case .pending = try producer.commit(timeout: .zero) else { return }
      let errors = [
        try expectError("beginning") { () throws(KafkaError) in try producer.begin() },
        try expectError("producing") { () throws(KafkaError) in
          try producer.produce(TextRecord(partition: 0, value: "w"))
        },
        try expectError("aborting") { () throws(KafkaError) in try producer.abort(timeout: .seconds(1)) },
      ]
      try expect(errors.map(\.code), is: Array(repeating: .wrongState, count: 3), "the codes")
      try producer.commitFully()
      try producer.begin()
      try producer.commitFully()
    },
    Behaviour("commit-empty", "a transaction of nothing commits and aborts") { kafka in
      let topic = try kafka.createTopic()
      let producer = try kafka.producer(topic)
      try producer.begin()
      try producer.commitFully()
      try producer.begin()
      try producer.abort(timeout: kafka.patience)
      let error = try expectError("committing outside of a transaction") { () throws(KafkaError) in
        try producer.commit(timeout: .seconds(1))
      }
      try expect(error.code, is: .wrongState, "the code")
    },
    Behaviour(
      "abort-hides", "an abort hides what was delivered and drops what was not, and the producer goes on"
    ) {
      kafka in
      let topic = try kafka.createTopic()
      let producer = try kafka.producer(topic)
      let deliveries = Deliveries()
      producer.deliveryListener = deliveries
      try producer.begin()
      try producer.produce(TextRecord(partition: 0, value: "delivered"), tag: 1)
      try kafka.wait(for: "the delivery") {
        producer.poll()
        return !deliveries.results.isEmpty
      }
      try producer.produce(TextRecord(partition: 0, value: "perhaps"), tag: 2)
      try producer.abort(timeout: kafka.patience)
      try expect(deliveries.results.count, is: 2, "the reports")
      try producer.begin()
      try producer.produce(TextRecord(partition: 0, value: "after"))
      try producer.commitFully()
      try expect(
        try TestReader(kafka.cluster, topics: [topic]).valuesToEnd().values, is: ["after"], "the values")
    },
    Behaviour("reports", "each tagged record has one report with its offset by the time its commit is over") {
      kafka in
      let topic = try kafka.createTopic(partitions: 2)
      let producer = try kafka.producer(topic)
      let deliveries = Deliveries()
      producer.deliveryListener = deliveries
      try producer.begin()
      for tag in 0..<10 {
        try producer.produce(TextRecord(partition: Int32(tag % 2), value: "\(tag)"), tag: UInt64(tag))
      }
      try producer.commitFully()
      let expected = Dictionary(uniqueKeysWithValues: (1..<10).map { (UInt64($0), Int64($0 / 2)) })
      try expect(deliveries.offsets, is: expected, "the reports")
    },
  ]
}
