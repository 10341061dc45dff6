import CLibrdkafka
import Contract

/// The part that both producers share: handing a record to librdkafka.
final class ProducerClient: @unchecked Sendable {
  // Sendable: nothing changes after the initialiser but `topics`, in the deinitialiser, and the context's kept memory, which
  // only the owner's thread touches.
  private let handle: ClientHandle
  private var topics: TopicTable?

  init(_ handle: consuming ClientHandle, topics: [String]) throws(KafkaError) {
    let table = try TopicTable(topics, client: handle.pointer)
    self.handle = handle
    self.topics = consume table
  }

  deinit { topics = nil }

  var pointer: OpaquePointer { handle.pointer }
  var context: ClientContext { handle.context }
  var fatalError: KafkaError? { handle.fatalError }

  /// Queues a record, of which all is copied but a value that is kept; its delivery report carries `opaque`.
  func produce(_ record: OutgoingRecord, opaque: UnsafeMutableRawPointer?) throws(KafkaError) {
    guard let topic = topics?.handle(at: record.topicIndex) else {
      throw KafkaError(.invalidArgument, message: "the producer has no topic of index \(record.topicIndex)")
    }
    let headers = record.headers.isEmpty ? nil : Self.headers(record.headers)
    let error = withUnsafeTemporaryAllocation(of: rd_kafka_vu_t.self, capacity: 7) { arguments in
      arguments.initialize(repeating: rd_kafka_vu_t())
      arguments[0].vtype = RD_KAFKA_VTYPE_RKT
      arguments[0].u.rkt = topic
      arguments[1].vtype = RD_KAFKA_VTYPE_MSGFLAGS
      arguments[1].u.i = record.isValueKept ? 0 : Self.copyFlag
      arguments[2].vtype = RD_KAFKA_VTYPE_PARTITION
      arguments[2].u.i32 = record.partition ?? Self.unassignedPartition
      arguments[3].vtype = RD_KAFKA_VTYPE_OPAQUE
      arguments[3].u.ptr = opaque
      arguments[4].vtype = RD_KAFKA_VTYPE_KEY
      arguments[4].u.mem.ptr = Self.address(record.key)
      arguments[4].u.mem.size = record.key?.count ?? 0
      arguments[5].vtype = RD_KAFKA_VTYPE_VALUE
      arguments[5].u.mem.ptr = Self.address(record.value)
      arguments[5].u.mem.size = record.value?.count ?? 0
      arguments[6].vtype = RD_KAFKA_VTYPE_HEADERS
      arguments[6].u.headers = headers
      return rd_kafka_produceva(pointer, arguments.baseAddress, headers == nil ? 6 : 7)
    }
    guard let error else { return }
    // librdkafka takes the headers over only when it takes the message.
    if let headers { rd_kafka_headers_destroy(headers) }
    let name = topics?.names[record.topicIndex] ?? ""
    throw KafkaError(consuming: error, "producing to \(name)")
  }

  private static let copyFlag: Int32 = 2
  private static let unassignedPartition: Int32 = -1
  // A null pointer is Kafka's null; the empty value needs an address, which nobody reads.
  nonisolated(unsafe) private static let emptyBytes = UnsafeMutableRawPointer.allocate(
    byteCount: 1, alignment: 1)

  private static func address(_ view: ByteView?) -> UnsafeMutableRawPointer? {
    guard let view else { return nil }
    return view.start.map { UnsafeMutableRawPointer(mutating: $0) } ?? emptyBytes
  }

  private static func headers(_ headers: UnsafeBufferPointer<RecordHeader>) -> OpaquePointer? {
    let list = rd_kafka_headers_new(headers.count)
    for header in headers {
      let value = header.value
      rd_kafka_header_add(
        list, UnsafeRawPointer(header.name.start)?.assumingMemoryBound(to: CChar.self) ?? emptyName,
        header.name.count, address(value), value?.count ?? 0)
    }
    return list
  }

  private static var emptyName: UnsafePointer<CChar> {
    UnsafePointer(emptyBytes.assumingMemoryBound(to: CChar.self))
  }
}
