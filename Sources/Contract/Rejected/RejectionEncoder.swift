/// Writes the records of `rejected`: the record byte for byte, with headers that say why and whence.
///
/// Of a record that is too large, the first 64 KiB of the value go on, the headers as far as they fit 64 KiB, and the
/// first 64 KiB of the key, with the size and an XXH3-128 hash of the whole value.
public struct RejectionEncoder: ~Copyable {
  /// The bytes of value, key and headers each that are kept of a record that is too large.
  public static let keptBytes = 64 * 1024
  private var headers: UnsafeMutablePointer<HeaderView>
  private var capacity = 64
  private var count = 0
  private var scratch = OutputBuffer(capacity: 1024)

  /// An encoder; its memory is reused for every record.
  public init() {
    headers = .allocate(capacity: 64)
  }

  deinit { headers.deallocate() }

  /// The record to produce; valid until the next one and as long as `record` is.
  public mutating func record(
    for record: InputRecord, rejection: Rejection, at position: RecordPosition
  ) -> OutputRecord {
    count = 0
    scratch.removeAll()
    scratch.reserve(1024 + rejection.detail.utf8.count)
    reserve(record.headers.count + 8)
    let isCut = rejection.reason == .recordTooLarge
    append(record.headers, budget: isCut ? RejectionEncoder.keptBytes : Int.max)
    append("tidings-reason", text: rejection.reason.rawValue)
    append("tidings-detail", text: rejection.detail)
    append("tidings-topic", position.topic)
    append("tidings-partition", number: Int64(position.partition))
    append("tidings-offset", number: position.offset)
    var key = record.key
    var value = record.value
    if isCut {
      append("tidings-size", number: Int64(record.byteCount))
      append("tidings-value-size", number: Int64(value?.count ?? 0))
      append("tidings-value-xxh3", hash: Hash128(of: value ?? .empty))
      key = key?.slice(0..<RejectionEncoder.keptBytes)
      value = value?.slice(0..<RejectionEncoder.keptBytes)
    }
    return OutputRecord(key: key, value: value, headers: UnsafeBufferPointer(start: headers, count: count))
  }

  private mutating func append(_ original: UnsafeBufferPointer<HeaderView>, budget: Int) {
    var left = budget
    for header in original {
      left -= header.name.count + (header.value?.count ?? 0)
      if left < 0 { break }
      (headers + count).initialize(to: header)
      count += 1
    }
  }

  private mutating func reserve(_ wanted: Int) {
    guard wanted > capacity else { return }
    headers.deallocate()
    capacity = wanted * 2
    headers = .allocate(capacity: capacity)
  }

  private mutating func append(_ name: StaticString, _ value: ByteView) {
    (headers + count).initialize(to: HeaderView(name: ByteView(name), value: value))
    count += 1
  }

  private mutating func append(_ name: StaticString, text: String) {
    let start = scratch.count
    scratch.append(text: text)
    append(name, scratch.view.slice(start..<scratch.count))
  }

  private mutating func append(_ name: StaticString, number: Int64) {
    let start = scratch.count
    scratch.append(decimal: number)
    append(name, scratch.view.slice(start..<scratch.count))
  }

  private mutating func append(_ name: StaticString, hash: Hash128) {
    let start = scratch.count
    scratch.append(hex: hash)
    append(name, scratch.view.slice(start..<scratch.count))
  }
}
