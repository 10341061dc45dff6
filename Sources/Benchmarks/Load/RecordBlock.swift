import Contract

/// Records that were made beforehand, side by side in memory as a client holds them: what is measured reads them and
/// does not make them.
struct RecordBlock: ~Copyable {
  /// How many fit.
  let capacity: Int
  /// How many there are.
  private(set) var count = 0
  private let bytes: UnsafeMutablePointer<UInt8>
  private let byteCapacity: Int
  private var byteCount = 0
  private let headers: UnsafeMutablePointer<HeaderView>
  private var headerCount = 0
  private let records: UnsafeMutablePointer<(partition: Int, content: InputRecord)>

  private static let bytesPerRecord = 1_024
  private static let headersPerRecord = 8

  init(capacity: Int) {
    self.capacity = capacity
    byteCapacity = capacity * Self.bytesPerRecord
    bytes = .allocate(capacity: byteCapacity)
    headers = .allocate(capacity: capacity * Self.headersPerRecord)
    records = .allocate(capacity: capacity)
  }

  deinit {
    bytes.deallocate()
    headers.deallocate()
    records.deallocate()
  }

  mutating func removeAll() {
    count = 0
    byteCount = 0
    headerCount = 0
  }

  /// Copies a record.
  ///
  /// - Throws: `BenchmarkError` where there is no room.
  mutating func append(_ record: InputRecord, partition: Int) throws(BenchmarkError) {
    guard count < capacity, byteCount + record.byteCount <= byteCapacity,
      record.headers.count <= Self.headersPerRecord
    else { throw BenchmarkError("a record of the load is larger than the block for it: this is a fault") }
    let first = headers + headerCount
    for header in record.headers {
      (headers + headerCount).initialize(
        to: HeaderView(name: copy(header.name), value: header.value.map { copy($0) }))
      headerCount += 1
    }
    (records + count).initialize(
      to: (
        partition,
        InputRecord(
          key: record.key.map { copy($0) }, value: record.value.map { copy($0) },
          headers: UnsafeBufferPointer(start: first, count: record.headers.count))
      ))
    count += 1
  }

  /// A record; its views are valid until `removeAll`.
  subscript(index: Int) -> (partition: Int, content: InputRecord) {
    precondition(index < count)
    return records[index]
  }

  private mutating func copy(_ view: ByteView) -> ByteView {
    let start = bytes + byteCount
    if let source = view.buffer.baseAddress { start.initialize(from: source, count: view.count) }
    byteCount += view.count
    return ByteView(start: UnsafePointer(start), count: view.count)
  }
}
