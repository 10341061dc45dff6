import Foundation
import Kafka
import Logging
import Testing

@testable import Operations

@Suite("The lag report")
struct LagReportTests {
  private func row(_ partition: Int32, committed: Int64?, begin: Int64 = 0, end: Int64) -> LagReport.Row {
    LagReport.Row(
      group: "g", topic: "t", partition: partition, committed: committed, begin: begin, stableEnd: end,
      end: end, seconds: end == committed ? 0 : 12.34)
  }

  @Test("lag counts from the committed offset, without one from the partition's first, and is never negative")
  func records() {
    #expect(row(0, committed: 7, end: 10).records == 3)
    #expect(row(0, committed: nil, begin: 4, end: 10).records == 6)
    #expect(row(0, committed: 2, begin: 4, end: 10).records == 6)
    #expect(row(0, committed: 11, end: 10).records == 0)
  }

  @Test("the table has a line per partition in numerical order, and the sum")
  func table() {
    let report = LagReport(rows: [
      row(10, committed: 5, end: 5), row(2, committed: nil, end: 30), row(0, committed: 7, end: 10),
    ])
    #expect(
      report.table == """
        GROUP  TOPIC  PARTITION  CURRENT-OFFSET  LOG-END-OFFSET  LAST-STABLE  LAG  SECONDS
        g      t              0               7              10           10    3       12
        g      t              2               -              30           30   30       12
        g      t             10               5               5            5    0        0
        total                                                                  33       12

        """)
  }

  @Test("the JSON holds every partition and the sums")
  func json() throws {
    let report = LagReport(rows: [row(0, committed: nil, end: 3)])
    #expect(
      try report.json()
        == #"{"maxSeconds":12.34,"partitions":[{"begin":0,"committed":null,"end":3,"group":"g","#
        + #""partition":0,"records":3,"seconds":12.34,"stableEnd":3,"topic":"t"}],"totalRecords":3}"# + "\n")
  }

  @Test("the report reads offsets and the age of the first waiting record from a cluster")
  func gather() async throws {
    let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
    let cluster = try EmbeddedCluster(logger: logger)
    try cluster.createTopic("t", partitionCount: 3)
    let producer = try cluster.makeIdempotentProducer(IdempotentProducerOptions(topics: ["t"]))
    for index in 0..<7 {
      let record = ProducerRecord(topicIndex: 0, partition: Int32(index % 2), key: nil, value: [1])
      _ = try await producer.send(record)
    }
    producer.close()
    let member = try cluster.makeGroupConsumer(GroupConsumerOptions(groupID: "g", offsetReset: .earliest))
    try member.commit([
      PartitionOffset(TopicPartition(topic: "t", partition: 0), offset: 4),
      PartitionOffset(TopicPartition(topic: "t", partition: 1), offset: 1),
    ])
    let report = try LagReport.gather([.init(group: "g", topics: ["t"])], from: cluster)
    #expect(report.rows.map(\.committed) == [4, 1, nil])
    #expect(report.rows.map(\.end) == [4, 3, 0])
    #expect(report.rows.map(\.records) == [0, 2, 0])
    #expect(report.rows[0].seconds == 0)
    #expect(report.rows[2].seconds == 0)
    let age = try #require(report.rows[1].seconds)
    #expect(age >= 0 && age < 60)
  }

  @Test("a topic that does not exist is named with what to do")
  func unknownTopic() throws {
    let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
    let cluster = try EmbeddedCluster(logger: logger)
    let error = #expect(throws: KafkaError.self) {
      try LagReport.gather([.init(group: "g", topics: ["missing"])], from: cluster)
    }
    #expect(error?.message.contains("missing") == true)
    #expect(error?.message.contains("tidings topics apply") == true)
  }
}
