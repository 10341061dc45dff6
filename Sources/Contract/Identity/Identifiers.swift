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
  /// The bytes are gathered on the stack, where room for nearly all is of a size that is known beforehand; fields beyond
  /// about a kilobyte go over the heap.
  @inline(__always)
  fileprivate init(ofFields fields: (ByteView, ByteView, ByteView, ByteView), number: UInt64, kind: UInt64) {
    let size = 32 + fields.0.count + fields.1.count + fields.2.count + fields.3.count
    if size <= 256 {
      self = withUnsafeTemporaryAllocation(byteCount: 256, alignment: 8) {
        Hash128(ofFields: fields, number, kind, gathered: $0, size)
      }
    } else {
      self = withUnsafeTemporaryAllocation(byteCount: size, alignment: 8) {
        Hash128(ofFields: fields, number, kind, gathered: $0, size)
      }
    }
  }

  /// - Parameter memory: has room for `size` bytes.
  @inline(__always)
  private init(
    ofFields fields: (ByteView, ByteView, ByteView, ByteView), _ number: UInt64, _ kind: UInt64,
    gathered memory: UnsafeMutableRawBufferPointer, _ size: Int
  ) {
    guard let start = memory.baseAddress else {
      self.init(of: .empty)
      return
    }
    var cursor = OutputCursor(at: start)
    cursor.integer(kind)
    cursor.integer(number)
    cursor.integer(UInt32(truncatingIfNeeded: fields.0.count))
    cursor.integer(UInt32(truncatingIfNeeded: fields.1.count))
    cursor.integer(UInt32(truncatingIfNeeded: fields.2.count))
    cursor.integer(UInt32(truncatingIfNeeded: fields.3.count))
    cursor.name(fields.0)
    cursor.name(fields.1)
    cursor.name(fields.2)
    cursor.name(fields.3)
    self.init(of: ByteView(UnsafeRawBufferPointer(start: start, count: size)))
  }
}

extension OutputCursor {
  /// The bytes of a view that has few of them nearly always: in words, of which the last one overlaps the one before.
  @inline(__always)
  fileprivate mutating func name(_ view: ByteView) {
    guard let start = view.start else { return }
    let source = UnsafeRawPointer(start)
    let count = view.count
    if count > 16 {
      next.copyMemory(from: source, byteCount: count)
    } else if count >= 8 {
      copy(source, UInt64.self, 0, count &- 8)
    } else if count >= 4 {
      copy(source, UInt32.self, 0, count &- 4)
    } else if count > 0 {
      copy(source, UInt8.self, 0, count &- 1)
      copy(source, UInt8.self, count &>> 1, count &>> 1)
    }
    next += count
  }

  /// Copies the words at two places.
  @inline(__always)
  private func copy<Word: FixedWidthInteger & BitwiseCopyable>(
    _ source: UnsafeRawPointer, _ word: Word.Type, _ first: Int, _ second: Int
  ) {
    let values = (
      source.loadUnaligned(fromByteOffset: first, as: word),
      source.loadUnaligned(fromByteOffset: second, as: word)
    )
    next.storeBytes(of: values.0, toByteOffset: first, as: word)
    next.storeBytes(of: values.1, toByteOffset: second, as: word)
  }
}
