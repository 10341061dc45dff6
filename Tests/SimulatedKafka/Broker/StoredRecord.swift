import Contract
import Kafka

/// The bytes of a record, written once and shared from the producer's queue over the log to every reader.
///
/// One block of memory holds the table of headers and, behind it, all bytes; views into it are valid as long as this
/// object.
public final class StoredRecord: @unchecked Sendable {
  private let block: UnsafeMutableRawPointer
  private let headerCount: Int
  /// The key; nil is Kafka's null.
  public let key: ByteView?
  /// The value; nil is a tombstone.
  public let value: ByteView?
  /// Key, value and headers together, in bytes.
  public let byteCount: Int

  /// A copy of a record that is produced.
  init(_ record: OutgoingRecord) {
    var size = (record.key?.count ?? 0) + (record.value?.count ?? 0)
    for header in record.headers { size += header.name.count + (header.value?.count ?? 0) }
    byteCount = size
    headerCount = record.headers.count
    let table = headerCount * MemoryLayout<RecordHeader>.stride
    let block = UnsafeMutableRawPointer.allocate(
      byteCount: table + size + 1, alignment: MemoryLayout<RecordHeader>.alignment)
    self.block = block
    var next = (block + table).assumingMemoryBound(to: UInt8.self)
    func copy(_ view: ByteView) -> ByteView {
      let start = next
      if let source = view.start { start.update(from: source, count: view.count) }
      next += view.count
      return ByteView(start: UnsafePointer(start), count: view.count)
    }
    key = record.key.map(copy)
    value = record.value.map(copy)
    let headers = block.bindMemory(to: RecordHeader.self, capacity: headerCount)
    for (index, header) in record.headers.enumerated() {
      (headers + index).initialize(
        to: RecordHeader(name: copy(header.name), value: header.value.map(copy)))
    }
  }

  deinit { block.deallocate() }

  /// The headers in their order.
  public var headers: UnsafeBufferPointer<RecordHeader> {
    UnsafeBufferPointer(start: block.assumingMemoryBound(to: RecordHeader.self), count: headerCount)
  }
}
