import Testing

@testable import Kafka

@Suite("Errors")
struct KafkaErrorTests {
  @Test(
    "an error is asked in order whether it is fatal, abortable or retriable, and is fatal otherwise",
    arguments: [
      (true, true, true, KafkaError.Disposition.fatal), (true, false, true, .fatal),
      (false, true, true, .abort),
      (false, true, false, .abort), (false, false, true, .retry), (false, false, false, .fatal),
    ])
  func disposition(isFatal: Bool, requiresAbort: Bool, isRetriable: Bool, expected: KafkaError.Disposition) {
    let error = KafkaError(
      .timedOut, message: "m", isFatal: isFatal, isRetriable: isRetriable, requiresAbort: requiresAbort)
    #expect(error.disposition == expected)
  }

  @Test(
    "the codes have the numbers that librdkafka gives to their names",
    arguments: [
      (KafkaError.Code.timedOut, "_TIMED_OUT"), (.queueFull, "_QUEUE_FULL"), (.transport, "_TRANSPORT"),
      (.allBrokersDown, "_ALL_BROKERS_DOWN"), (.invalidArgument, "_INVALID_ARG"), (.closed, "_DESTROY"),
      (.wrongState, "_STATE"), (.unsupported, "_UNSUPPORTED_FEATURE"), (.purgedFromQueue, "_PURGE_QUEUE"),
      (.purgedInFlight, "_PURGE_INFLIGHT"), (.noOffset, "_AUTO_OFFSET_RESET"), (.fenced, "_FENCED"),
      (.pollIntervalExceeded, "_MAX_POLL_EXCEEDED"), (.unknownTopicLocally, "_UNKNOWN_TOPIC"),
      (.unknownPartitionLocally, "_UNKNOWN_PARTITION"), (.offsetOutOfRange, "OFFSET_OUT_OF_RANGE"),
      (.unknownTopicOrPartition, "UNKNOWN_TOPIC_OR_PART"), (.messageTooLarge, "MSG_SIZE_TOO_LARGE"),
      (.topicAlreadyExists, "TOPIC_ALREADY_EXISTS"), (.invalidProducerEpoch, "INVALID_PRODUCER_EPOCH"),
      (.fencedInstanceID, "FENCED_INSTANCE_ID"), (.unstableOffsetCommit, "UNSTABLE_OFFSET_COMMIT"),
      (.producerFenced, "PRODUCER_FENCED"), (.unknownMember, "UNKNOWN_MEMBER_ID"),
      (.illegalGeneration, "ILLEGAL_GENERATION"), (.endOfPartition, "_PARTITION_EOF"),
    ])
  func codes(code: KafkaError.Code, name: String) {
    #expect(code.name == name)
  }

  @Test("an error says what was attempted, and keeps what it was")
  func during() {
    let error = KafkaError(.producerFenced, message: "a younger one", isFatal: true).during("worker 3")
    #expect(error.description == "worker 3: a younger one (PRODUCER_FENCED)")
    #expect(error.isFenced && error.disposition == .fatal)
  }

  @Test(
    "a time-out is rounded up to milliseconds and clamped",
    arguments: [
      (Duration.zero, Int32(0)), (.seconds(-1), 0), (.microseconds(1), 1), (.milliseconds(1), 1),
      (.microseconds(1001), 2), (.seconds(10), 10_000), (.seconds(1_000_000_000), .max),
    ])
  func milliseconds(duration: Duration, expected: Int32) {
    #expect(duration.wholeMilliseconds == expected)
  }
}
