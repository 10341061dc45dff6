import Contract
import Foundation
import Kafka
import Pipeline
import Testing

@testable import Processor

@Suite(.serialized) struct FaultTests {
  @Test("one worker that fails ends the processor with its error")
  func oneWorkerFails() async throws {
    let harness = try ProcessorHarness()
    let cluster = FaultyCluster(harness.cluster, failingConsumers: [false, true])
    let running = ProcessorHarness.Running(harness, cluster: cluster) { $0.workers = 2 }
    try await eventually("the processor ends", within: .seconds(30)) { running.hasEnded }
    let error = try #require(await running.failure())
    #expect("\(error)".contains("this member fails"))
  }

  @Test("a batch of large events, all at hand at once, is cut into commits that the topics take")
  func largeBatch() async throws {
    let harness = try ProcessorHarness(
      partitionCount: 1,
      catalogYAML: """
        types:
          card.moved:
            category: cards
            title: "a card moved"
            channels:
              inapp: { policy: digest, window: 1s, items: 3 }
        """)
    let filler = String(repeating: "x", count: 12_000)
    try await harness.publish(
      (0..<1000).map { number in
        ProcessorHarness.event("e\(number)", recipients: "user\(number)")
          .replacing("{\"n\":1}", with: "{\"n\":\"\(filler)\"}")
      })
    let running = try await harness.start()
    try await eventually("all is delivered") {
      try running.checkAlive()
      return running.status.counters.inapp.delivered == 1000
    }
    try await running.stop()
    #expect(running.status.counters.difference == 0)
    #expect(try harness.read("delivery.inapp").count == 1000)
  }

  @Test("after an abort the recipients are read again before anything is decided")
  func recipientsAfterAbort() async throws {
    let harness = try ProcessorHarness(partitionCount: 1)
    let names = (0..<500).map { "user\($0)" }
    try await harness.publish(
      names.map { "{\"email\":\"\($0)@example.org\"}" }, to: "recipients", keys: names,
      contentType: "application/json")
    try await harness.publish(names.reversed().map { ProcessorHarness.event("e-\($0)", recipients: $0) })
    let cluster = FaultyCluster(harness.cluster, abortedTransactions: 3)
    let running = ProcessorHarness.Running(harness, cluster: cluster) { _ in }
    try await eventually("all is decided") {
      try running.checkAlive()
      return running.status.counters.total.accepted == 1000
    }
    try await running.stop()
    #expect(running.status.counters.email.suppressed[.noAddress] == 0)
    #expect(running.status.counters.decided == 1000)
    #expect(running.status.counters.difference == 0)
  }

  @Test("a state log that is truncated while it is read is read anew")
  func truncatedLog() async throws {
    let harness = try ProcessorHarness(partitionCount: 2)
    let first = try await harness.start()
    try await harness.publish([ProcessorHarness.event("1", recipients: "ann,bob")])
    try await eventually("the event is decided") { first.status.counters.total.accepted == 4 }
    try await first.stop()
    let cluster = FaultyCluster(harness.cluster, truncatedLog: true)
    let second = ProcessorHarness.Running(harness, cluster: cluster) { _ in }
    try await harness.publish([ProcessorHarness.event("1", recipients: "ann,bob")])
    try await eventually("the repeat is decided", within: .seconds(30)) {
      try second.checkAlive()
      return second.status.counters.total.suppressed[.duplicate] == 4
    }
    try await second.stop()
    #expect(try harness.read("delivery.inapp").count == 2)
  }

  @Test("a seek that is lost is done again, rather than read the topic from its beginning")
  func lostSeek() async throws {
    let harness = try ProcessorHarness(partitionCount: 1)
    let first = try await harness.start()
    try await harness.publish((0..<50).map { ProcessorHarness.event("a\($0)", recipients: "ann") })
    try await eventually("the first are decided") { first.status.counters.inapp.delivered == 50 }
    try await first.stop()
    let cluster = FaultyCluster(harness.cluster, lostSeeks: 1)
    let second = ProcessorHarness.Running(harness, cluster: cluster) { _ in }
    try await harness.publish([ProcessorHarness.event("b", recipients: "ann")])
    try await eventually("the next is decided") {
      try second.checkAlive()
      return second.status.counters.inapp.delivered == 51
    }
    try await second.stop()
    let events = TopicPartition(topic: harness.topic("events"), partition: 0)
    #expect(cluster.soughtPositions == [PartitionOffset(events, offset: 50)])
    #expect(try harness.read("delivery.inapp").count == 51)
  }

  @Test("partitions that a dead worker's transaction still holds do not hold up the others")
  func heldPartitions() async throws {
    let harness = try ProcessorHarness(partitionCount: 2)
    let cluster = FaultyCluster(harness.cluster)
    let first = ProcessorHarness.Running(harness, cluster: cluster) { _ in }
    try await eventually("the first owns both") { first.status.runningPartitions == 2 }
    let second = try await harness.start()
    try await eventually("each owns one") {
      first.status.runningPartitions == 1 && second.status.runningPartitions == 1
    }
    let others = second.status.workers.values.flatMap(\.partitions).map(\.partition)
    cluster.unstablePartitions = Set(others)
    try await second.stop()
    try await eventually("the first was given both") {
      first.status.workers.values.flatMap(\.partitions).count == 2
    }
    let names = (0..<20).map { "user\($0)" }
    let own = names.filter { name in
      name.withByteView { !others.contains(Murmur2.partition(ofKey: $0, count: 2)) }
    }
    try await harness.publish(own.map { ProcessorHarness.event("e", recipients: $0) }, keys: own)
    try await eventually("its own goes on", within: .seconds(20)) {
      try first.checkAlive()
      return first.status.counters.inapp.delivered == own.count
    }
    #expect(first.status.runningPartitions == 1)
    cluster.unstablePartitions = []
    try await eventually("the other follows") { first.status.runningPartitions == 2 }
    try await first.stop()
  }

  @Test(
    "a processor that is idle has committed the ends of all its input, behind transaction markers as well",
    .enabled(if: ProcessorHarness.bootstrapServers != nil))
  func idleLag() async throws {
    let harness = try ProcessorHarness(partitionCount: 2)
    let running = try await harness.start()
    try await harness.publish((0..<20).map { ProcessorHarness.event("a\($0)", recipients: "user\($0),ann") })
    try await eventually("all is decided") { running.status.counters.inapp.accepted == 40 }
    let partitions = harness.configuration.inputTopics.flatMap { topic in
      (0..<2).map { TopicPartition(topic: topic, partition: $0) }
    }
    try await eventually("the group's offsets are the ends", within: .seconds(20)) {
      let ends = try harness.cluster.admin.offsets(
        of: partitions, isolation: .readUncommitted, timeout: .seconds(5))
      let committed = try harness.cluster.admin.committedOffsets(
        ofGroup: harness.configuration.groupID, timeout: .seconds(5))
      return ends.allSatisfy { end in
        committed.contains { $0.topicPartition == end.topicPartition && $0.offset == end.latest }
      }
    }
    try await running.stop()
  }

  @Test("after a commit whose outcome stays unknown, what is in is found in, and nothing is lost or repeated")
  func unknownOutcome() async throws {
    let harness = try ProcessorHarness(partitionCount: 2)
    let names = (0..<30).map { "user\($0)" }
    try await harness.publish(names.map { ProcessorHarness.event("e-\($0)", recipients: "\($0),ann") })
    let cluster = FaultyCluster(harness.cluster, hiddenCommits: 2)
    let running = ProcessorHarness.Running(harness, cluster: cluster) {
      $0.transactionTimeout = .seconds(6)
    }
    try await eventually("all is decided") {
      try running.checkAlive()
      return running.status.counters.inapp.delivered == 60
    }
    try await running.stop()
    #expect(running.status.counters.difference == 0)
    #expect(running.status.counters.decided == 60)
    #expect(try harness.read("delivery.inapp").count == 60)
  }

  @Test("a processor without workers is not idle: nothing is known yet")
  func idleness() {
    #expect(!ProcessorStatus().isIdle)
  }
}
