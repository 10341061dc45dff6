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

  @Test(
    "a record of another home in the routed topic is an error that names the offset behind it, and the way there"
  )
  func foreignRecord() {
    let fault = ProcessorFault.foreignRecord(topic: "tidings.routed", partition: 3, offset: 41, home: 7)
    #expect(fault.description.contains("tidings.routed [3] at offset 41: the record belongs to partition 7"))
    #expect(fault.description.contains("offset 42"))
    #expect(fault.description.contains("`tidings state adopt-group --partition 3`"))
  }
}
