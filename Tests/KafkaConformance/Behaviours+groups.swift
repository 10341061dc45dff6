import Kafka
import KafkaTesting

extension Behaviour {
  /// Consumer groups with dynamic members.
  static let groups = [
    Behaviour("missing-topic", "a topic that does not exist is an error event that names it; others are read")
    {
      kafka in
      let topic = try kafka.createTopic()
      let absent = kafka.unique("absent")
      let member = try TestMember(
        kafka.cluster, GroupConsumerOptions(groupID: kafka.unique("group"), offsetReset: .error),
        topics: [topic, absent])
      let error = try member.events { events in events.contains { $0.error != nil } }.compactMap(\.error)
        .first
      try expect(error?.code, is: .unknownTopicOrPartition, "the code")
      try expect(error?.message.contains(absent) == true, "“\(error?.message ?? "")” names the topic")
      try kafka.poll([member], within: .seconds(40), for: "an assignment") { !member.assigned.isEmpty }
      try member.consumer.close()
    },
    Behaviour(
      "range", "range gives each member the same partitions of every topic, and revokes everything before"
    ) { kafka in
      let topics = [try kafka.createTopic("one", partitions: 3), try kafka.createTopic("two", partitions: 3)]
      let options = GroupConsumerOptions(groupID: kafka.unique("group"), offsetReset: .error)
      let first = try TestMember(kafka.cluster, options, topics: topics)
      try kafka.poll([first], within: .seconds(40), for: "an assignment") { first.assigned.count == 6 }
      let all = first.assigned
      let second = try TestMember(kafka.cluster, options, topics: topics)
      try kafka.poll([first, second], within: .seconds(60), for: "a rebalance") {
        !second.assigned.isEmpty && (1..<6).contains(first.assigned.count)
      }
      let told = first.rebalances
      try expect(
        Array(told.prefix(2)), is: [.assigned(all), .revoked(all, lost: false)], "what the first was told")
      for case (.assigned(let had), .revoked(let revoked, _)) in zip(told, told.dropFirst()) {
        try expect(revoked, is: had, "what was revoked of what it had")
      }
      for member in [first, second] {
        let numbers = topics.map { topic in
          member.assigned.filter { $0.topic == topic }.map(\.partition).sorted()
        }
        try expect(numbers[0], is: numbers[1], "the companions")
      }
      try expect(
        Set(first.assigned + second.assigned), is: Set(all), "the partitions of both")
      try expect(first.failures + second.failures, is: [], "the failures")
      try first.consumer.close()
      try second.consumer.close()
    },
    Behaviour(
      "close-leaves",
      "a member that closes is told of the revoke inside of it, and the others take over at once"
    ) { kafka in
      let topic = try kafka.createTopic(partitions: 2)
      let options = GroupConsumerOptions(groupID: kafka.unique("group"), offsetReset: .error)
      let first = try TestMember(kafka.cluster, options, topics: [topic])
      let second = try TestMember(kafka.cluster, options, topics: [topic])
      try kafka.poll([first, second], within: .seconds(60), for: "both to have one") {
        first.assigned.count == 1 && second.assigned.count == 1
      }
      let held = first.assigned
      try first.consumer.close()
      try expect(first.rebalances.last, is: .revoked(held, lost: false), "the last call")
      try expect(first.assigned, is: [], "what is left")
      let start = kafka.milliseconds
      try kafka.poll([second], within: .seconds(40), for: "the second to have both") {
        second.assigned.count == 2
      }
      try expect(kafka.milliseconds - start < 8000, "it takes a heartbeat, not a session")
      try second.consumer.close()
    },
    Behaviour("empty-assignment", "a member that gets nothing is told so, and is asked to give nothing back")
    {
      kafka in
      let topic = try kafka.createTopic()
      let options = GroupConsumerOptions(groupID: kafka.unique("group"), offsetReset: .error)
      let members = [
        try TestMember(kafka.cluster, options, topics: [topic]),
        try TestMember(kafka.cluster, options, topics: [topic]),
      ]
      try kafka.poll(members, within: .seconds(60), for: "both to be told") {
        members.contains { $0.rebalances.last == .assigned([]) }
          && members.contains { $0.assigned.count == 1 }
      }
      let idle = members[0].assigned.isEmpty ? members[0] : members[1]
      let owner = idle === members[0] ? members[1] : members[0]
      let told = idle.rebalances.count
      try owner.consumer.close()
      try kafka.poll([idle], within: .seconds(40), for: "the partition") { idle.assigned.count == 1 }
      let partition = TopicPartition(topic: topic, partition: 0)
      try expect(
        Array(idle.rebalances[told...]), is: [.revoked([], lost: false), .assigned([partition])],
        "what the idle one was told")
      try idle.consumer.close()
    },
    Behaviour(
      "session", "a member that is gone without a word holds its partitions until its session is over"
    ) {
      kafka in
      let topic = try kafka.createTopic(partitions: 2)
      let group = kafka.unique("group")
      let options = GroupConsumerOptions(
        groupID: group, offsetReset: .error, sessionTimeout: .seconds(6))
      let process = kafka.spawn()
      var first: TestMember? = try TestMember(process.cluster, options, topics: [topic])
      try kafka.poll([first].compactMap(\.self), within: .seconds(40), for: "an assignment") {
        first?.assigned.count == 2
      }
      first = nil
      process.crash()
      let start = kafka.milliseconds
      let second = try TestMember(kafka.cluster, options, topics: [topic])
      try kafka.poll([second], within: .seconds(40), for: "the second to have both") {
        second.assigned.count == 2
      }
      let waited = kafka.milliseconds - start
      // The last heartbeat may be 3 s old.
      try expect(waited >= 2500 && waited < 15000, "it takes the rest of a session of 6 s, not \(waited) ms")
      try second.consumer.close()
    },
    Behaviour("commit-in-revoke", "what is committed inside of a revoke is what the next owner begins with") {
      kafka in
      let topic = try kafka.createTopic(partitions: 2)
      let partition = TopicPartition(topic: topic, partition: 0)
      let options = GroupConsumerOptions(groupID: kafka.unique("group"), offsetReset: .error)
      let first = try TestMember(kafka.cluster, options, topics: [topic])
      try kafka.poll([first], within: .seconds(40), for: "an assignment") { !first.assigned.isEmpty }
      let position = PartitionOffset(partition, offset: 0, metadata: "from the revoke")
      first.beforeUnassign = { try $0.commit([position]) }
      let second = try TestMember(kafka.cluster, options, topics: [topic])
      try kafka.poll([first, second], within: .seconds(60), for: "a rebalance") {
        !second.assigned.isEmpty && first.assigned.count == 1
      }
      try expect(first.failures, is: [], "the failures")
      let committed = try second.consumer.committed([partition], timeout: kafka.patience)
      try expect(committed, is: [position], "what is committed")
      first.beforeUnassign = nil
      try first.consumer.close()
      try second.consumer.close()
    },
    Behaviour(
      "transaction-in-revoke",
      "a transaction that is finished inside of a revoke counts: its offsets and records are in"
    ) { kafka in
      let topic = try kafka.createTopic(partitions: 2)
      let output = try kafka.createTopic("output")
      let partition = TopicPartition(topic: topic, partition: 0)
      let options = GroupConsumerOptions(groupID: kafka.unique("group"), offsetReset: .error)
      let first = try TestMember(kafka.cluster, options, topics: [topic])
      try kafka.poll([first], within: .seconds(40), for: "an assignment") { !first.assigned.isEmpty }
      let producer = try kafka.producer(output)
      let position = PartitionOffset(partition, offset: 3)
      first.beforeUnassign = { consumer in
        try producer.begin()
        try producer.produce(TextRecord(partition: 0, value: "last"))
        try producer.sendOffsets(
          [position], group: try consumer.groupMetadata(), timeout: .seconds(10))
        try producer.commitFully()
      }
      let second = try TestMember(kafka.cluster, options, topics: [topic])
      try kafka.poll([first, second], within: .seconds(60), for: "a rebalance") {
        !second.assigned.isEmpty && first.assigned.count == 1
      }
      try expect(first.failures, is: [], "the failures")
      let committed = try second.consumer.committed([partition], timeout: kafka.patience)
      try expect(committed, is: [position], "what is committed")
      try expect(
        try TestReader(kafka.cluster, topics: [output]).valuesToEnd().values, is: ["last"], "the output")
      first.beforeUnassign = nil
      try first.consumer.close()
      try second.consumer.close()
    },
    Behaviour(
      "committed-order",
      "committed offsets come in the order asked for, with their metadata, nil where none is"
    ) { kafka in
      let topic = try kafka.createTopic(partitions: 3)
      let partitions = (0..<3).map { TopicPartition(topic: topic, partition: $0) }
      let group = kafka.unique("group")
      let member = try kafka.member(topic, group: group)
      let offsets = [
        PartitionOffset(partitions[2], offset: 7, metadata: "two"), PartitionOffset(partitions[0], offset: 5),
      ]
      try member.consumer.commit(offsets)
      let committed = try member.consumer.committed(
        [partitions[2], partitions[1], partitions[0]], timeout: kafka.patience)
      try expect(committed, is: [offsets[0], nil, offsets[1]], "the offsets")
      try member.consumer.close()
      let listed = try kafka.cluster.admin.committedOffsets(ofGroup: group, timeout: kafka.patience)
      try expect(listed, is: [offsets[1], offsets[0]], "the offsets of the group without members")
    },
    Behaviour(
      "commit-outsider",
      "who is no member may commit offsets of a group while it has none, and not beside them"
    ) {
      kafka in
      let topic = try kafka.createTopic()
      let partition = TopicPartition(topic: topic, partition: 0)
      let group = kafka.unique("group")
      let outsider = try kafka.loner(group)
      try outsider.commit([PartitionOffset(partition, offset: 4)])
      let member = try kafka.member(topic, group: group)
      let committed = try member.consumer.committed([partition], timeout: kafka.patience)
      try expect(committed, is: [PartitionOffset(partition, offset: 4)], "what is committed")
      let error = try expectError("committing beside a member") { () throws(KafkaError) in
        try outsider.commit([PartitionOffset(partition, offset: 5)])
      }
      try expect(error.code, is: .unknownMember, "the code")
      try member.consumer.close()
    },
    Behaviour("group-members", "the admin names the members of a group, static ones by their instance") {
      kafka in
      let topic = try kafka.createTopic()
      let group = kafka.unique("group")
      let none = try kafka.cluster.admin.members(ofGroup: group, timeout: kafka.patience)
      try expect(none, is: [], "the members of a group that is not there")
      let member = try kafka.member(topic, group: group, instance: "i-1")
      let members = try kafka.cluster.admin.members(ofGroup: group, timeout: kafka.patience)
      try expect(members.map(\.groupInstanceID), is: ["i-1"], "the instances")
      try member.consumer.close()
    },
  ]

  /// Static members (KIP-345).
  static let staticMembers = [
    Behaviour(
      "static-restart", "a static member that comes back within its session has its partitions at once"
    ) {
      kafka in
      let topic = try kafka.createTopic(partitions: 2)
      let group = kafka.unique("group")
      func options(_ instance: String) -> GroupConsumerOptions {
        GroupConsumerOptions(
          groupID: group, groupInstanceID: instance, offsetReset: .error, sessionTimeout: .seconds(30))
      }
      let process = kafka.spawn()
      let stays = try TestMember(kafka.cluster, options("a"), topics: [topic])
      var goes: TestMember? = try TestMember(process.cluster, options("b"), topics: [topic])
      try kafka.poll([stays, goes].compactMap(\.self), within: .seconds(60), for: "both to have one") {
        stays.assigned.count == 1 && goes?.assigned.count == 1
      }
      let held = goes?.assigned
      let told = stays.rebalances.count
      goes = nil
      process.crash()
      let start = kafka.milliseconds
      let back = try TestMember(kafka.cluster, options("b"), topics: [topic])
      try kafka.poll([stays, back], within: .seconds(20), for: "the member to have its partition") {
        !back.assigned.isEmpty
      }
      try expect(back.assigned, is: held, "the partitions")
      try expect(kafka.milliseconds - start < 8000, "it does not take a session")
      for _ in 0..<100 { _ = stays.poll(timeout: .milliseconds(50)) }
      try expect(stays.rebalances.count, is: told, "what the other was told")
      try stays.consumer.close()
      try back.consumer.close()
    },
    Behaviour(
      "static-stays", "a static member that closes does not leave: its partitions wait for its session"
    ) {
      kafka in
      let topic = try kafka.createTopic(partitions: 2)
      let group = kafka.unique("group")
      let first = try kafka.member(topic, group: group, instance: "a")
      try first.consumer.close()
      let start = kafka.milliseconds
      let second = try kafka.member(topic, group: group, instance: "b")
      let waited = kafka.milliseconds - start
      try expect(waited >= 2500 && waited < 15000, "it takes the rest of a session of 6 s, not \(waited) ms")
      try second.consumer.close()
    },
    Behaviour("static-fenced", "a younger member of the same instance fences the older one, fatally") {
      kafka in
      let topic = try kafka.createTopic()
      let group = kafka.unique("group")
      let older = try kafka.member(topic, group: group, instance: "a")
      let younger = try kafka.member(topic, group: group, instance: "a", of: kafka.spawn().cluster)
      var fatal: KafkaError?
      try kafka.wait(for: "the older one to be fenced", within: .seconds(20), step: .zero) {
        if case .error(let error) = older.poll(timeout: .milliseconds(50)), error.isFatal { fatal = error }
        return fatal != nil
      }
      try expect(fatal?.isFenced == true, "the error says that it is fenced: \(fatal?.description ?? "")")
      try younger.consumer.close()
      try? older.consumer.close()
    },
  ]
}
