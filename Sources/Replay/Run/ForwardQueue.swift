import Contract
import Pipeline

/// Records that one partition has written for the home of another, until that has taken them in.
struct ForwardQueue: ~Copyable {
  private struct Entry {
    var partition: Int32
    var key: Range<Int>?
    var value: Range<Int>?
    var headers: Range<Int>
  }

  private var bytes = OutputBuffer.ofBatch()
  private var entries: [Entry] = []
  private var headers: [(name: Range<Int>, value: Range<Int>?)] = []

  init() {}

  var isEmpty: Bool { entries.isEmpty }

  mutating func append(_ record: Outbox.Record) {
    let start = headers.count
    for header in record.headers {
      headers.append((store(header.name), header.value.map { store($0) }))
    }
    entries.append(
      Entry(
        partition: record.partition, key: record.key.map { store($0) }, value: record.value.map { store($0) },
        headers: start..<headers.count))
  }

  /// Calls `body` with the home partition and the content of each record in order.
  func forEach(_ body: (Int, InputRecord) throws -> Void) rethrows {
    let all = bytes.view
    var views: [HeaderView] = []
    for entry in entries {
      views.removeAll(keepingCapacity: true)
      for header in headers[entry.headers] {
        views.append(HeaderView(name: all.slice(header.name), value: header.value.map { all.slice($0) }))
      }
      try views.withUnsafeBufferPointer { headers in
        try body(
          Int(entry.partition),
          InputRecord(
            key: entry.key.map { all.slice($0) }, value: entry.value.map { all.slice($0) }, headers: headers))
      }
    }
  }

  mutating func removeAll() {
    bytes.removeAll()
    bytes.shrink()
    entries.removeAll(keepingCapacity: true)
    headers.removeAll(keepingCapacity: true)
  }

  private mutating func store(_ view: ByteView) -> Range<Int> {
    let start = bytes.count
    bytes.append(view)
    return start..<bytes.count
  }
}
