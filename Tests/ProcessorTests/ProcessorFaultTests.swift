import Kafka
import Testing

@testable import Processor

@Suite struct ProcessorFaultTests {
  @Test(
    "whoever was fenced reads the likely cause, whichever of the brokers and the client said it first",
    arguments: [.fenced, .producerFenced, .invalidProducerEpoch, .fencedInstanceID] as [KafkaError.Code])
  func fenced(code: KafkaError.Code) {
    let error = KafkaError(code, message: "tidings-a-0: fenced", isFatal: true)
    let text = "\(ProcessorFault.kafka(error, doing: "sending a transaction"))"
    #expect(text.contains("tidings-a-0"))
    #expect(text.contains("are two instances configured with the same `processor.instance`?"))
  }
}
