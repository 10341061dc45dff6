import CLibrdkafka

/// Answers a consumer's rebalance, on the thread that polls.
protocol RebalanceHandler: AnyObject {
  /// Must have called `rd_kafka_assign` before it returns.
  func rebalance(_ kind: rd_kafka_resp_err_t, _ partitions: [TopicPartition])
}

/// Hears what became of produced messages, on the thread that serves the reports.
protocol DeliveryHandler: AnyObject {
  /// `opaque` is what the message was produced with; never called without one.
  func delivered(opaque: UnsafeMutableRawPointer, message: UnsafePointer<rd_kafka_message_t>)
}

/// What C callbacks reach through a client's opaque pointer. `log` is used by librdkafka's own threads; the handlers
/// only on a thread that is inside a call of the client.
final class ClientContext {
  let log: ConnectionLog
  weak var rebalanceHandler: (any RebalanceHandler)?
  weak var deliveryHandler: (any DeliveryHandler)?
  /// What messages in the client's queues may refer to. Only the producer's owner touches it.
  var keptMemory = KeptMemory()

  init(log: ConnectionLog) { self.log = log }

  /// The context behind an opaque pointer. The handle that made it keeps it alive until its client is destroyed.
  static func of(_ opaque: UnsafeMutableRawPointer?) -> ClientContext? {
    opaque.map { Unmanaged<ClientContext>.fromOpaque($0).takeUnretainedValue() }
  }
}

/// Owns a librdkafka client and the context of its callbacks, and destroys it.
///
/// Must not be dropped inside a callback of its own client: librdkafka would wait for itself.
struct ClientHandle: ~Copyable, @unchecked Sendable {
  // Sendable: librdkafka's client may be used by any thread; what is confined are the context's handlers and kept memory.
  let pointer: OpaquePointer
  let context: ClientContext

  /// Starts a client.
  ///
  /// - Throws: what librdkafka says about properties that contradict one another.
  init(_ kind: rd_kafka_type_t, _ properties: ClientProperties, log: ConnectionLog) throws(KafkaError) {
    let context = ClientContext(log: log)
    let configuration = try properties.makeConfiguration()
    rd_kafka_conf_set_opaque(configuration.pointer, Unmanaged.passUnretained(context).toOpaque())
    rd_kafka_conf_set_log_cb(configuration.pointer) { client, level, facility, text in
      guard let client, let facility, let text else { return }
      ClientContext.of(rd_kafka_opaque(client))?.log
        .record(level: level, facility: String(cString: facility), text: String(cString: text))
    }
    if kind == RD_KAFKA_CONSUMER {
      Self.setRebalanceCallback(configuration.pointer)
    } else {
      Self.setDeliveryCallback(configuration.pointer)
    }
    let (created, message) = withErrorText { rd_kafka_new(kind, configuration.pointer, $0, $1) }
    guard let created else {
      throw KafkaError(.invalidArgument, message: "librdkafka refuses the kafka properties: \(message)")
    }
    // The client has taken the configuration over.
    _ = configuration.release()
    self.pointer = created
    self.context = context
  }

  deinit {
    // Closing is the owner's call: a consumer that is dropped without it does not leave its group.
    rd_kafka_destroy_flags(pointer, RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE)
    withExtendedLifetime(context) {}
  }

  /// The error that made the client useless, if there is one.
  var fatalError: KafkaError? {
    let (code, message) = withErrorText { rd_kafka_fatal_error(pointer, $0, $1) }
    guard code != RD_KAFKA_RESP_ERR_NO_ERROR else { return nil }
    return KafkaError(.init(rawValue: code.rawValue), message: message, isFatal: true)
  }

  /// Waits until all clients of this process are gone, and returns the number of librdkafka's threads that are left.
  static func waitForThreads(atMost limit: Duration) -> Int32 {
    rd_kafka_wait_destroyed(limit.wholeMilliseconds)
    return rd_kafka_thread_cnt()
  }

  private static func setRebalanceCallback(_ configuration: OpaquePointer) {
    rd_kafka_conf_set_rebalance_cb(configuration) { client, kind, partitions, opaque in
      if let handler = ClientContext.of(opaque)?.rebalanceHandler, let partitions {
        handler.rebalance(kind, PartitionList.partitions(of: partitions))
      } else {
        // The owner is gone or going: librdkafka only wants an answer.
        rd_kafka_assign(client, nil)
      }
    }
  }

  private static func setDeliveryCallback(_ configuration: OpaquePointer) {
    rd_kafka_conf_set_dr_msg_cb(configuration) { _, message, opaque in
      guard let message, let tag = message.pointee._private else { return }
      ClientContext.of(opaque)?.deliveryHandler?.delivered(opaque: tag, message: message)
    }
  }
}
