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
    let logger = Logger(label: "handles") { _ in SwiftLogNoOpLogHandler() }
    let cluster = try EmbeddedCluster(logger: logger)
    try cluster.createTopic("t", partitionCount: 2)
    try dropWithKept(cluster, logger)
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

  /// Values in memory that the client refers to: small ones until they are in a request, large ones until it is answered
  /// where nothing compresses them.
  private static func produceKept(_ producer: any TransactionalProducer) throws(KafkaError) {
    for size in [10, 100_000] {
      try producer.produce(
        kept: TextRecord(partition: 0, key: "k", value: String(repeating: "v", count: size)))
    }
  }

  /// Producers that are dropped with such values on their way, in the midst of a commit, too.
  private static func dropWithKept(_ embedded: EmbeddedCluster, _ logger: Logger) throws {
    for compression in ["none", "lz4"] {
      let cluster = try LibrdkafkaCluster(
        ClientConfiguration(
          bootstrapServers: embedded.bootstrapServers, properties: ["compression.codec": compression],
          logger: logger))
      for isCommitting in [false, true] {
        let producer = try cluster.makeTransactionalProducer(
          TransactionalProducerOptions(transactionalID: "dropped", topics: ["t"]))
        try producer.initTransactions(timeout: .seconds(20))
        try producer.begin()
        try produceKept(producer)
        try producer.commitFully()
        try producer.begin()
        try produceKept(producer)
        try producer.abort(timeout: .seconds(20))
        embedded.setRoundTripTime(.milliseconds(300))
        defer { embedded.setRoundTripTime(.zero) }
        try producer.begin()
        try produceKept(producer)
        if isCommitting { _ = try producer.commit(timeout: .zero) }
      }
    }
  }
}
