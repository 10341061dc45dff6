import CLibrdkafka

extension KafkaError.Code {
  /// The name that librdkafka gives to the code.
  var name: String { String(cString: rd_kafka_err2name(rd_kafka_resp_err_t(rawValue))) }

  /// librdkafka's words for the code.
  var explanation: String { String(cString: rd_kafka_err2str(rd_kafka_resp_err_t(rawValue))) }
}

extension KafkaError {
  /// An error of which librdkafka gave only the code.
  init(_ code: rd_kafka_resp_err_t, _ attempt: @autoclosure () -> String) {
    let code = Code(rawValue: code.rawValue)
    self.init(
      code, message: "\(attempt()): \(code.explanation)", isFatal: code.rawValue == Self.fatalCode,
      isRetriable: Self.retriableCodes.contains(code))
  }

  /// Takes over an error object and destroys it.
  init(consuming error: OpaquePointer, _ attempt: @autoclosure () -> String) {
    self.init(borrowing: error, attempt())
    rd_kafka_error_destroy(error)
  }

  /// Reads an error object that librdkafka keeps.
  init(borrowing error: OpaquePointer, _ attempt: @autoclosure () -> String) {
    let code = Code(rawValue: rd_kafka_error_code(error).rawValue)
    self.init(
      code, message: "\(attempt()): \(String(cString: rd_kafka_error_string(error)))",
      isFatal: rd_kafka_error_is_fatal(error) != 0,
      isRetriable: rd_kafka_error_is_retriable(error) != 0 || code == .queueFull,
      requiresAbort: rd_kafka_error_txn_requires_abort(error) != 0)
  }

  /// Throws unless the code says success.
  static func check(
    _ code: rd_kafka_resp_err_t, _ attempt: @autoclosure () -> String
  ) throws(KafkaError) {
    guard code != RD_KAFKA_RESP_ERR_NO_ERROR else { return }
    throw KafkaError(code, attempt())
  }

  /// Throws if there is an error object, and destroys it.
  static func check(_ error: OpaquePointer?, _ attempt: @autoclosure () -> String) throws(KafkaError) {
    guard let error else { return }
    throw KafkaError(consuming: error, attempt())
  }

  /// The error of a call on a client that is closed.
  static func closed(_ what: String) -> KafkaError {
    KafkaError(.closed, message: "the \(what) is closed")
  }

  private static let fatalCode = RD_KAFKA_RESP_ERR__FATAL.rawValue

  // Calls that answer with a bare code do not say whether they may be repeated. These may: nothing was decided yet.
  private static let retriableCodes: Set<Code> = [
    .timedOut, .queueFull, .transport, .allBrokersDown, .unstableOffsetCommit,
    Code(rawValue: RD_KAFKA_RESP_ERR__WAIT_COORD.rawValue),
    Code(rawValue: RD_KAFKA_RESP_ERR__IN_PROGRESS.rawValue),
    Code(rawValue: RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE.rawValue),
    Code(rawValue: RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION.rawValue),
    Code(rawValue: RD_KAFKA_RESP_ERR_REQUEST_TIMED_OUT.rawValue),
    Code(rawValue: RD_KAFKA_RESP_ERR_COORDINATOR_LOAD_IN_PROGRESS.rawValue),
    Code(rawValue: RD_KAFKA_RESP_ERR_COORDINATOR_NOT_AVAILABLE.rawValue),
    Code(rawValue: RD_KAFKA_RESP_ERR_NOT_COORDINATOR.rawValue),
    Code(rawValue: RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS.rawValue),
    Code(rawValue: RD_KAFKA_RESP_ERR_NOT_CONTROLLER.rawValue),
  ]
}
