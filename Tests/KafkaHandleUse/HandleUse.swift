import KafkaTesting
import Logging

@testable import Kafka

/// Uses every kind of handle, for the tests of their lifetime: valgrind watches it.
enum HandleUse {
  /// What is left of librdkafka when all clients should be gone.
  struct Leftover: Error {
    let threads: Int32
  }

  /// - Throws: ``Leftover`` if threads of a client are left 10 s after the last reference to it.
  static func run() throws {
    try useEverything()
    guard ClientHandle.waitForThreads(atMost: .seconds(10)) == 0 else {
      throw Leftover(threads: ClientHandle.waitForThreads(atMost: .zero))
    }
  }

  private static func useEverything() throws {
    let cluster = try EmbeddedCluster(logger: Logger(label: "handles") { _ in SwiftLogNoOpLogHandler() })
    try cluster.createTopic("t", partitionCount: 2)
    let partition = TopicPartition(topic: "t", partition: 0)
    let member = try TestMember(
      cluster, GroupConsumerOptions(groupID: "g", offsetReset: .error), topics: ["t"])
    let record = TextRecord(partition: 0, key: "k", value: "v", headers: [.init("h", "x")])

    let plain = try cluster.makeIdempotentProducer(IdempotentProducerOptions(topics: ["t"]))
    try record.producerRecord.withViews { (views) throws(KafkaError) in try plain.produce(views) { _ in } }
    try plain.flush(timeout: .seconds(20))

    let transactional = try cluster.makeTransactionalProducer(
      TransactionalProducerOptions(transactionalID: "t", topics: ["t"]))
    try transactional.initTransactions(timeout: .seconds(20))
    try transactional.begin()
    try transactional.produce(record)
    try produceKept(transactional)
    try transactional.sendOffsets(
      [PartitionOffset(partition, offset: 1)], group: try member.consumer.groupMetadata(),
      timeout: .seconds(20))
    try transactional.commitFully()
    try transactional.begin()
    try produceKept(transactional)
    try transactional.abort(timeout: .seconds(20))
    try transactional.begin()
    try transactional.produce(record)
    // The producer is dropped with them on their way.
    try produceKept(transactional)

    try member.awaitAssignment()
    _ = try member.values(2)
    try member.consumer.commit([PartitionOffset(partition, offset: 1, metadata: "m")])
    _ = try member.consumer.committed([partition], timeout: .seconds(20))
    let reader = try TestReader(cluster, topics: ["t"])
    _ = try reader.values(2)
    _ = try cluster.admin.topics(timeout: .seconds(20))
    _ = try cluster.admin.offsets(of: [partition], isolation: .readUncommitted, timeout: .seconds(20))
    // Errors own memory, too.
    _ = try? transactional.begin()
    // The member is dropped with a message in its hands and without leaving; so is the reader.
  }

  /// Values in memory that the client refers to: for small ones until they are in a request, for large ones until it is
  /// answered.
  private static func produceKept(_ producer: any TransactionalProducer) throws(KafkaError) {
    for size in [10, 100_000] {
      try producer.produce(
        kept: TextRecord(partition: 0, key: "k", value: String(repeating: "v", count: size)))
    }
  }
}
