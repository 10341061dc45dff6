import Contract

/// A record to produce, as views of memory that has to stay valid during the call: the producer copies them, but for a
/// value that is kept.
public struct OutgoingRecord {
  /// The index of the topic in the array that the producer was made with.
  public let topicIndex: Int
  /// The partition; nil leaves it to the key (murmur2, as Kafka's own producer), or to chance without one.
  public let partition: Int32?
  /// The key; nil is Kafka's null.
  public let key: ByteView?
  /// The value; nil is a tombstone.
  public let value: ByteView?
  /// The headers in their order.
  public let headers: UnsafeBufferPointer<RecordHeader>
  /// What a transactional producer reports to its ``DeliveryListener``; 0 asks for no report.
  public let tag: UInt64
  /// Whether the value lies in memory that the producer keeps (``TransactionalProducer/keep(_:)``): it is not copied.
  public let isValueKept: Bool

  /// A record with all its parts.
  @inlinable
  public init(
    topicIndex: Int, partition: Int32? = nil, key: ByteView?, value: ByteView?,
    headers: UnsafeBufferPointer<RecordHeader> = UnsafeBufferPointer(start: nil, count: 0), tag: UInt64 = 0,
    isValueKept: Bool = false
  ) {
    self.topicIndex = topicIndex
    self.partition = partition
    self.key = key
    self.value = value
    self.headers = headers
    self.tag = tag
    self.isValueKept = isValueKept
  }
}

/// A record to produce that owns its bytes, for code that is not on the data path.
public struct ProducerRecord: Sendable {
  /// A header that owns its bytes.
  public struct Header: Sendable, Hashable {
    /// The name, without a zero byte.
    public let name: String
    /// The value; nil is Kafka's null.
    public let value: [UInt8]?

    /// A header with bytes.
    public init(_ name: String, _ value: [UInt8]?) {
      self.name = name
      self.value = value
    }

    /// A header with text.
    public init(_ name: String, _ value: String) {
      self.init(name, Array(value.utf8))
    }
  }

  /// The index of the topic in the array that the producer was made with.
  public let topicIndex: Int
  /// The partition; nil leaves it to the key, or to chance without one.
  public let partition: Int32?
  /// The key; nil is Kafka's null.
  public let key: [UInt8]?
  /// The value; nil is a tombstone.
  public let value: [UInt8]?
  /// The headers in their order.
  public let headers: [Header]

  /// A record with all its parts.
  public init(
    topicIndex: Int, partition: Int32? = nil, key: [UInt8]?, value: [UInt8]?, headers: [Header] = []
  ) {
    self.topicIndex = topicIndex
    self.partition = partition
    self.key = key
    self.value = value
    self.headers = headers
  }

  /// Calls `body` with views of the record; they are valid only during the call.
  public func withViews<Result>(_ body: (OutgoingRecord) throws(KafkaError) -> Result) throws(KafkaError)
    -> Result
  {
    // All bytes in one array: one scope of validity instead of one nested per header.
    var bytes: [UInt8] = []
    bytes.reserveCapacity((key?.count ?? 0) + (value?.count ?? 0) + headers.count * 32)
    func append(_ part: [UInt8]?) -> Range<Int>? {
      guard let part else { return nil }
      let start = bytes.count
      bytes.append(contentsOf: part)
      return start..<bytes.count
    }
    let keyRange = append(key)
    let valueRange = append(value)
    let headerRanges = headers.map { (append(Array($0.name.utf8)) ?? 0..<0, append($0.value)) }
    let outcome: Swift.Result<Result, KafkaError> = bytes.withUnsafeBytes { buffer in
      let all = ByteView(buffer)
      let views = headerRanges.map { name, value in
        RecordHeader(name: all.slice(name), value: value.map(all.slice))
      }
      return views.withUnsafeBufferPointer { headers in
        do throws(KafkaError) {
          return .success(
            try body(
              OutgoingRecord(
                topicIndex: topicIndex, partition: partition, key: keyRange.map(all.slice),
                value: valueRange.map(all.slice), headers: headers)))
        } catch {
          return .failure(error)
        }
      }
    }
    return try outcome.get()
  }
}
