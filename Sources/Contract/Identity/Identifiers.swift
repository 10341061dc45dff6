/// The hash that names a notification: one event for one recipient.
public enum NotificationID {
  /// The hash of (tenant, source, id, recipient), the identity that the dedup horizon compares.
  public static func hash(tenant: ByteView, source: ByteView, id: ByteView, recipient: ByteView) -> Hash128 {
    Hash128(ofFields: (tenant, source, id, recipient), number: 0, kind: 1)
  }
}

/// The hash that names an event for an audience.
public enum AudienceEventID {
  /// The hash of (tenant, source, id, audience), the identity that the dedup horizon compares: an event that comes
  /// again is not fanned out again.
  public static func hash(tenant: ByteView, source: ByteView, id: ByteView, audience: ByteView) -> Hash128 {
    Hash128(ofFields: (tenant, source, id, audience), number: 0, kind: 4)
  }
}

/// The hash that names a digest window, and the digest that it becomes.
public enum WindowID {
  /// The hash of (tenant, recipient, channel, digest key, window start). The catalog's version has no part in it,
  /// so that a deployment never sends a digest twice.
  ///
  /// - Parameter openedMilliseconds: when the window opened, in milliseconds since the epoch.
  public static func hash(
    tenant: ByteView, recipient: ByteView, channel: Channel, digestKey: ByteView, openedMilliseconds: Int64
  ) -> Hash128 {
    Hash128(
      ofFields: (tenant, recipient, ByteView(channel.literal), digestKey),
      number: UInt64(bitPattern: openedMilliseconds), kind: 2)
  }
}

/// The hash that names a delivery of a single notification; a digest has the id of its window.
public enum DeliveryID {
  /// The hash of a notification on a channel.
  public static func single(_ notification: Hash128, channel: Channel) -> Hash128 {
    withUnsafeBytes(of: (notification.high.littleEndian, notification.low.littleEndian)) { bytes in
      Hash128(ofFields: (ByteView(channel.literal), ByteView(bytes), .empty, .empty), number: 0, kind: 3)
    }
  }
}

extension Hash128 {
  /// The hash of a kind, a number and fields, whose lengths stand before them, so that no two lists of fields give
  /// the same bytes.
  ///
  /// The bytes are gathered on the stack; fields beyond about a kilobyte go over the heap.
  fileprivate init(ofFields fields: (ByteView, ByteView, ByteView, ByteView), number: UInt64, kind: UInt64) {
    let size = 32 + fields.0.count + fields.1.count + fields.2.count + fields.3.count
    self = withUnsafeTemporaryAllocation(byteCount: size, alignment: 8) { memory in
      guard let start = memory.baseAddress else { return Hash128(of: .empty) }
      var cursor = OutputCursor(at: start)
      cursor.integer(kind)
      cursor.integer(number)
      cursor.integer(UInt32(truncatingIfNeeded: fields.0.count))
      cursor.integer(UInt32(truncatingIfNeeded: fields.1.count))
      cursor.integer(UInt32(truncatingIfNeeded: fields.2.count))
      cursor.integer(UInt32(truncatingIfNeeded: fields.3.count))
      cursor.bytes(fields.0)
      cursor.bytes(fields.1)
      cursor.bytes(fields.2)
      cursor.bytes(fields.3)
      return Hash128(of: ByteView(UnsafeRawBufferPointer(memory)))
    }
  }
}
