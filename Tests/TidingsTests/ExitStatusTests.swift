import Audit
import Kafka
import Testing

@testable import tidings

@Suite("Exit status")
struct ExitStatusTests {
  @Test(
    "what asks to be tried again, and what the configuration has wrong, is not what an audit or an answer found"
  )
  func audits() {
    let place = TopicPartition(topic: "t", partition: 0)
    #expect(ExitStatus.report(ScanFault.cutMeanwhile(topic: "t")) == .temporary)
    #expect(ExitStatus.report(ScanFault.held(place, position: 1, end: 2)) == .temporary)
    #expect(ExitStatus.report(AuditFault.noTopic("t")) == .usage)
    #expect(ExitStatus.report(AuditFault.partitionCount(topic: "t", found: 1, expected: 2)) == .usage)
    #expect(ExitStatus.report(AuditFault.noSuchPartition(2, count: 2)) == .usage)
  }

  @Test("a cluster that cannot be reached is tried again later, a property that is wrong is not")
  func kafka() {
    for code in [KafkaError.Code.timedOut, .transport, .allBrokersDown] {
      #expect(ExitStatus.report(KafkaError(code, message: "no answer")) == .temporary)
    }
    let leaderless = KafkaError(.unknownPartitionLocally, message: "no leader", isRetriable: true)
    #expect(ExitStatus.report(leaderless) == .temporary)
    #expect(ExitStatus.report(KafkaError(.unknownPartitionLocally, message: "no partition")) == .failed)
    #expect(ExitStatus.report(KafkaError(.invalidArgument, message: "no property")) == .usage)
  }
}
