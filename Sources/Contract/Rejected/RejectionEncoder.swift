/// Writes the records of `rejected`: the record byte for byte, with headers that say why and whence.
///
/// Of a record that is too large, the first 64 KiB of the value go on, the headers as far as they fit 64 KiB, and the
/// first 64 KiB of the key, with the size and an XXH3-128 hash of the whole value.
public struct RejectionEncoder: ~Copyable {
  /// The bytes of value, key and headers each that are kept of a record that is too large.
  public static let keptBytes = 64 * 1024
  private var headers = HeaderList(capacity: 64)
  private var scratch = OutputBuffer(capacity: 1024)

  /// An encoder; its memory is reused for every record.
  public init() {}

  /// The record to produce; valid until the next one and as long as `record` is.
  public mutating func record(
    for record: InputRecord, rejection: Rejection, at position: RecordPosition
  ) -> OutputRecord {
    headers.removeAll()
    scratch.removeAll()
    scratch.reserve(1024 + rejection.detail.utf8.count)
    let isCut = rejection.reason == .recordTooLarge
    append(record.headers, budget: isCut ? RejectionEncoder.keptBytes : Int.max)
    append("tidings-reason", text: rejection.reason.rawValue)
    append("tidings-detail", text: rejection.detail)
    headers.append("tidings-topic", position.topic)
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
    return OutputRecord(key: key, value: value, headers: headers.view)
  }

  private mutating func append(_ original: UnsafeBufferPointer<HeaderView>, budget: Int) {
    var left = budget
    for header in original {
      left -= header.name.count + (header.value?.count ?? 0)
      if left < 0 { break }
      headers.append(header)
    }
  }

  private mutating func append(_ name: StaticString, text: String) {
    let start = scratch.count
    scratch.append(text: text)
    headers.append(name, scratch.view.slice(start..<scratch.count))
  }

  private mutating func append(_ name: StaticString, number: Int64) {
    let start = scratch.count
    scratch.append(decimal: number)
    headers.append(name, scratch.view.slice(start..<scratch.count))
  }

  private mutating func append(_ name: StaticString, hash: Hash128) {
    let start = scratch.count
    scratch.append(hex: hash)
    headers.append(name, scratch.view.slice(start..<scratch.count))
  }
}
