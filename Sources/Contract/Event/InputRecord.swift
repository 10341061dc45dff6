/// A header of a Kafka record. Its views are valid as long as those of the record.
public struct HeaderView {
  /// The header's key; a record may have several headers with the same key.
  public var name: ByteView
  /// The header's value; nil is Kafka's null.
  public var value: ByteView?

  /// A header with that name and value.
  @inlinable
  public init(name: ByteView, value: ByteView?) {
    self.name = name
    self.value = value
  }
}

/// A record as it was consumed: views that the consumer owns, valid until its next poll.
public struct InputRecord {
  /// The key; nil is Kafka's null.
  public var key: ByteView?
  /// The value; nil is Kafka's null, a tombstone.
  public var value: ByteView?
  /// The headers in their order.
  public var headers: UnsafeBufferPointer<HeaderView>

  /// A record of those parts.
  @inlinable
  public init(key: ByteView?, value: ByteView?, headers: UnsafeBufferPointer<HeaderView>) {
    self.key = key
    self.value = value
    self.headers = headers
  }

  /// A record that is to be produced, as its readers will see it; valid as long as that one.
  init(_ output: OutputRecord) {
    self.init(key: output.key, value: output.value, headers: output.headers)
  }

  /// The bytes of key, value and headers together, as brokers and `message.max.bytes` count them (without framing).
  public var byteCount: Int {
    // Counts of bytes in memory: their sum is no overflow.
    var count = (key?.count ?? 0) &+ (value?.count ?? 0)
    for index in 0..<headers.count {
      count &+= headers[index].name.count &+ (headers[index].value?.count ?? 0)
    }
    return count
  }
}

/// Where a record was read: it names the record in decisions, rejections and forwards.
public struct RecordPosition {
  /// The topic.
  public var topic: ByteView
  /// The partition.
  public var partition: Int32
  /// The offset.
  public var offset: Int64

  /// The position of a record.
  @inlinable
  public init(topic: ByteView, partition: Int32, offset: Int64) {
    self.topic = topic
    self.partition = partition
    self.offset = offset
  }
}
