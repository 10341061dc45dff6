import Contract

/// One change of a home partition's state as the state log holds it: a tag, then its fields.
enum Change {
  case idAdded(DedupTable.Entry)
  case windowOpened(key: Hash128, id: Hash128, opened: Int64, due: Int64, head: ByteView)
  case windowAppended(key: Hash128, member: ByteView)
  case windowRescheduled(key: Hash128, due: Int64)
  case windowClosed(key: Hash128)
  case windowTrimmed(key: Hash128, byteLimit: UInt32)
  case factSet(Fact)
  case memberWithdrawn(key: Hash128, notification: Hash128)
  case fanOutBegun(FanOut)
  /// All but the event.
  case fanOutContinued(FanOut)
  case fanOutEnded(key: Hash128)

  /// The tag of an added id: nearly all changes of a log are of this kind.
  static let idAddedTag: UInt8 = 1
  private static let windowOpenedTag: UInt8 = 2
  private static let windowAppendedTag: UInt8 = 3

  /// The hash by whose top bits the change belongs to a slice.
  var key: Hash128 {
    switch self {
    case .idAdded(let entry): Hash128(high: entry.high, low: entry.low)
    case .factSet(let fact): fact.key
    case .fanOutBegun(let fanOut), .fanOutContinued(let fanOut): fanOut.key
    case .windowOpened(let key, _, _, _, _), .windowAppended(let key, _), .windowRescheduled(let key, _),
      .windowClosed(let key), .windowTrimmed(let key, _), .memberWithdrawn(let key, _), .fanOutEnded(let key):
      key
    }
  }

  /// Appends the change that an id was added.
  @inline(__always)
  static func append(added entry: DedupTable.Entry, to buffer: inout OutputBuffer) {
    buffer.append(byte: idAddedTag)
    buffer.append(littleEndian: entry.high)
    buffer.append(littleEndian: entry.low)
  }

  /// Appends the change that a window took a notification.
  ///
  /// - Returns: where the member begins in the buffer, at whose end it ends.
  @inline(__always)
  static func append(_ member: WindowMember, toWindow key: Hash128, in buffer: inout OutputBuffer) -> Int {
    let byteCount = member.byteCount
    buffer.write(atMost: 17 + OutputCursor.roomForVarint + byteCount) { cursor in
      cursor.byte(windowAppendedTag)
      cursor.hash(key)
      cursor.varint(UInt64(truncatingIfNeeded: byteCount))
      member.write(to: &cursor)
    }
    return buffer.count - byteCount
  }

  /// Appends the change that a window was opened.
  static func append(
    opened window: (key: Hash128, id: Hash128, opened: Int64, due: Int64), head: ByteView,
    to buffer: inout OutputBuffer
  ) {
    buffer.write(atMost: 49 + head.framedCount) { cursor in
      cursor.byte(windowOpenedTag)
      cursor.hash(window.key)
      cursor.hash(window.id)
      cursor.integer(window.opened)
      cursor.integer(window.due)
      cursor.lengthPrefixed(head)
    }
  }

  func append(to buffer: inout OutputBuffer) {
    switch self {
    case .idAdded(let entry):
      Self.append(added: entry, to: &buffer)
    case .windowOpened(let key, let id, let opened, let due, let head):
      Self.append(opened: (key, id, opened, due), head: head, to: &buffer)
    case .windowAppended(let key, let member):
      buffer.append(byte: Self.windowAppendedTag)
      buffer.append(key)
      buffer.append(lengthPrefixed: member)
    case .windowClosed(let key):
      buffer.append(byte: 4)
      buffer.append(key)
    case .windowRescheduled(let key, let due):
      buffer.append(byte: 5)
      buffer.append(key)
      buffer.append(littleEndian: due)
    case .windowTrimmed(let key, let byteLimit):
      buffer.append(byte: 8)
      buffer.append(key)
      buffer.append(littleEndian: byteLimit)
    case .factSet(let fact):
      buffer.append(byte: 6)
      fact.append(to: &buffer)
    case .memberWithdrawn(let key, let notification):
      buffer.append(byte: 7)
      buffer.append(key)
      buffer.append(notification)
    case .fanOutBegun(let fanOut):
      buffer.append(byte: 9)
      fanOut.append(to: &buffer)
    case .fanOutContinued(let fanOut):
      buffer.append(byte: 10)
      buffer.append(fanOut.key)
      buffer.append(littleEndian: fanOut.turn)
      buffer.append(littleEndian: fanOut.next)
      buffer.append(littleEndian: fanOut.served)
    case .fanOutEnded(let key):
      buffer.append(byte: 11)
      buffer.append(key)
    }
  }

  /// Reads the next change; nil where the bytes are not one.
  init?(_ reader: inout ByteReader) {
    guard let tag = reader.byte(), let key = reader.hash() else { return nil }
    switch tag {
    case Self.idAddedTag:
      self = .idAdded(DedupTable.Entry(high: key.high, low: key.low))
    case Self.windowOpenedTag:
      guard let id = reader.hash(), let opened = reader.integer(Int64.self),
        let due = reader.integer(Int64.self), let head = reader.lengthPrefixed()
      else { return nil }
      self = .windowOpened(key: key, id: id, opened: opened, due: due, head: head)
    case Self.windowAppendedTag:
      guard let member = reader.lengthPrefixed() else { return nil }
      self = .windowAppended(key: key, member: member)
    case 4:
      self = .windowClosed(key: key)
    case 5:
      guard let due = reader.integer(Int64.self) else { return nil }
      self = .windowRescheduled(key: key, due: due)
    case 6:
      guard let fact = Fact(key: key, &reader) else { return nil }
      self = .factSet(fact)
    case 7:
      guard let notification = reader.hash() else { return nil }
      self = .memberWithdrawn(key: key, notification: notification)
    case 8:
      guard let byteLimit = reader.integer(UInt32.self) else { return nil }
      self = .windowTrimmed(key: key, byteLimit: byteLimit)
    case 9:
      guard let fanOut = FanOut(key: key, &reader) else { return nil }
      self = .fanOutBegun(fanOut)
    case 10:
      guard let turn = reader.integer(UInt64.self), let next = reader.integer(UInt64.self),
        let served = reader.integer(UInt64.self)
      else { return nil }
      self = .fanOutContinued(FanOut(key: key, turn: turn, next: next, served: served, event: []))
    case 11:
      self = .fanOutEnded(key: key)
    default:
      return nil
    }
  }
}
