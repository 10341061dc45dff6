import Contract

/// What an open window was opened with. It is kept in the window, so that a later catalog does not change it.
struct WindowHead {
  var tenant: ByteView
  var recipient: ByteView
  var channel: Channel
  /// The digest key next to recipient and channel.
  var group: ByteView
  var category: ByteView
  var type: ByteView
  var title: ByteView
  var link: ByteView
  var digestTitle: ByteView
  var priority: Priority
  var itemLimit: Int
  var catalogVersion: UInt64
  var rules = WindowRules()

  func append(to buffer: inout OutputBuffer) {
    buffer.append(byte: channel.rawValue)
    buffer.append(byte: priority.rawValue)
    buffer.append(varint: UInt64(max(0, itemLimit)))
    buffer.append(littleEndian: catalogVersion)
    buffer.append(lengthPrefixed: tenant)
    buffer.append(lengthPrefixed: recipient)
    buffer.append(lengthPrefixed: group)
    buffer.append(lengthPrefixed: category)
    buffer.append(lengthPrefixed: type)
    buffer.append(lengthPrefixed: title)
    buffer.append(lengthPrefixed: link)
    buffer.append(lengthPrefixed: digestTitle)
    rules.append(to: &buffer)
  }

  init(
    tenant: ByteView, recipient: ByteView, channel: Channel, group: ByteView, category: ByteView,
    type: ByteView,
    title: ByteView, link: ByteView, digestTitle: ByteView, priority: Priority, itemLimit: Int,
    catalogVersion: UInt64, rules: WindowRules = WindowRules()
  ) {
    self.tenant = tenant
    self.recipient = recipient
    self.channel = channel
    self.group = group
    self.category = category
    self.type = type
    self.title = title
    self.link = link
    self.digestTitle = digestTitle
    self.priority = priority
    self.itemLimit = itemLimit
    self.catalogVersion = catalogVersion
    self.rules = rules
  }

  /// Reads a head, all there is of the bytes; nil where they are not one. That of a window without rules has no bytes
  /// of them.
  init?(_ reader: inout ByteReader) {
    guard let raw = reader.byte(), let channel = Channel(rawValue: raw), let rank = reader.byte(),
      let priority = Priority(rawValue: rank), let limit = reader.varint(),
      let version = reader.integer(UInt64.self), let tenant = reader.lengthPrefixed(),
      let recipient = reader.lengthPrefixed(), let group = reader.lengthPrefixed(),
      let category = reader.lengthPrefixed(), let type = reader.lengthPrefixed(),
      let title = reader.lengthPrefixed(), let link = reader.lengthPrefixed(),
      let digestTitle = reader.lengthPrefixed(), let rules = WindowRules(&reader)
    else { return nil }
    self.tenant = tenant
    self.recipient = recipient
    self.channel = channel
    self.group = group
    self.category = category
    self.type = type
    self.title = title
    self.link = link
    self.digestTitle = digestTitle
    self.priority = priority
    itemLimit = Int(clamping: limit)
    catalogVersion = version
    self.rules = rules
  }
}

/// One notification that waits in a window.
struct WindowMember {
  var notification: Hash128
  /// A hash of the actor, by which actors are counted; 0 where the event names none.
  var actor: UInt64
  /// Never delivered from this instant on; `Int64.max` where the event names none.
  var expiry: Int64
  /// A hash of the collapse key; 0 where the event names none.
  var collapseKey: UInt64 = 0
  /// CloudEvents `time` of an event with a collapse key; `Int64.min` where it names none.
  var time = Int64.min
  /// What its item is ranked by; nil where the window does not rank, or the event has no number.
  var rank: Double?
  /// What it needs to be delivered by itself (`LoneItem`), or empty.
  var alone = ByteView.empty
  /// Whether it leaves the window when the recipient has seen it.
  var skipIfSeen = false
  /// The item's JSON, or empty where the digest is not going to carry it in full.
  var fragment: ByteView

  /// Which fields follow the notification: what a member does not have takes no room.
  private struct Fields: OptionSet {
    let rawValue: UInt8
    static let actor = Fields(rawValue: 1)
    static let expiry = Fields(rawValue: 2)
    /// The collapse key and the time.
    static let collapse = Fields(rawValue: 4)
    static let rank = Fields(rawValue: 8)
    static let alone = Fields(rawValue: 16)
    /// Nothing follows.
    static let skipIfSeen = Fields(rawValue: 32)
    static let all: Fields = [.actor, .expiry, .collapse, .rank, .alone, .skipIfSeen]
  }

  /// The bytes that `append(to:)` appends.
  var byteCount: Int {
    func framed(_ view: ByteView) -> Int {
      view.count + max(1, (Int.bitWidth - view.count.leadingZeroBitCount + 6) / 7)
    }
    return 17 + (actor != 0 ? 8 : 0) + (expiry != Int64.max ? 8 : 0) + (collapseKey != 0 ? 16 : 0)
      + (rank != nil ? 8 : 0) + (alone.isEmpty ? 0 : framed(alone)) + framed(fragment)
  }

  func append(to buffer: inout OutputBuffer) {
    var fields: Fields = []
    if actor != 0 { fields.insert(.actor) }
    if expiry != Int64.max { fields.insert(.expiry) }
    if collapseKey != 0 { fields.insert(.collapse) }
    if rank != nil { fields.insert(.rank) }
    if !alone.isEmpty { fields.insert(.alone) }
    if skipIfSeen { fields.insert(.skipIfSeen) }
    buffer.append(byte: fields.rawValue)
    buffer.append(notification)
    if actor != 0 { buffer.append(littleEndian: actor) }
    if expiry != Int64.max { buffer.append(littleEndian: expiry) }
    if collapseKey != 0 {
      buffer.append(littleEndian: collapseKey)
      buffer.append(littleEndian: time)
    }
    if let rank { buffer.append(littleEndian: rank.bitPattern) }
    if !alone.isEmpty { buffer.append(lengthPrefixed: alone) }
    buffer.append(lengthPrefixed: fragment)
  }

  init(
    notification: Hash128, actor: UInt64, expiry: Int64, collapseKey: UInt64 = 0, time: Int64 = Int64.min,
    skipIfSeen: Bool = false, fragment: ByteView
  ) {
    self.notification = notification
    self.actor = actor
    self.expiry = expiry
    self.collapseKey = collapseKey
    self.time = time
    self.skipIfSeen = skipIfSeen
    self.fragment = fragment
  }

  /// Reads a member; nil where the bytes are not one.
  init?(_ reader: inout ByteReader) {
    guard let raw = reader.byte(), let notification = reader.hash() else { return nil }
    let fields = Fields(rawValue: raw)
    guard Fields.all.isSuperset(of: fields) else { return nil }
    self.init(
      notification: notification, actor: 0, expiry: Int64.max, skipIfSeen: fields.contains(.skipIfSeen),
      fragment: .empty)
    if fields.contains(.actor) {
      guard let actor = reader.integer(UInt64.self) else { return nil }
      self.actor = actor
    }
    if fields.contains(.expiry) {
      guard let expiry = reader.integer(Int64.self) else { return nil }
      self.expiry = expiry
    }
    if fields.contains(.collapse) {
      guard let collapseKey = reader.integer(UInt64.self), let time = reader.integer(Int64.self) else {
        return nil
      }
      self.collapseKey = collapseKey
      self.time = time
    }
    if fields.contains(.rank) {
      guard let bits = reader.integer(UInt64.self) else { return nil }
      rank = Double(bitPattern: bits)
    }
    if fields.contains(.alone) {
      guard let alone = reader.lengthPrefixed() else { return nil }
      self.alone = alone
    }
    guard let fragment = reader.lengthPrefixed() else { return nil }
    self.fragment = fragment
  }
}

/// One open window: its fixed part here, its head and members as bytes in one block that grows.
struct Window {
  /// hash(recipient key, channel, digest key): where later arrivals find it.
  var key: Hash128
  /// hash(tenant, recipient, channel, digest key, start): the id of the digest.
  var id: Hash128
  var opened: Int64
  var due: Int64
  var block: Block
  var headLength: UInt32
  var memberCount: UInt32 = 0
  var itemCount: UInt32 = 0
  /// Bytes of the full items.
  var itemBytes: UInt32 = 0
  var generation: UInt32 = 0
  var isOpen = true
  /// Whether its head has rules: most have none, and need no look at it.
  var hasRules: Bool
  /// The hash of the recipient's key, and the windows of the same recipient before and after this one. Found again
  /// whenever the window is loaded: no part of the state.
  var recipient: Hash128
  var previous: UInt32?
  var next: UInt32?

  /// A window without members.
  init(
    key: Hash128, id: Hash128, recipient: Hash128, opened: Int64, due: Int64, block: Block,
    headLength: UInt32,
    hasRules: Bool
  ) {
    self.key = key
    self.id = id
    self.recipient = recipient
    self.opened = opened
    self.due = due
    self.block = block
    self.headLength = headLength
    self.hasRules = hasRules
  }

  /// The head. Valid until the window's block grows or goes.
  var head: WindowHead? {
    var reader = ByteReader(block.view.slice(0..<Int(headLength)))
    return WindowHead(&reader)
  }

  /// Where in the block the first member stands of which a condition holds.
  ///
  /// - Parameter position: where to begin, the beginning of a member or the end; nil for the first one.
  func place(from position: Int? = nil, where holds: (WindowMember) -> Bool) -> Range<Int>? {
    let start = position ?? Int(headLength)
    var reader = ByteReader(block.view.slice(start..<block.view.count))
    while !reader.isAtEnd {
      let position = reader.position
      guard let member = WindowMember(&reader) else { return nil }
      if holds(member) { return start + position..<start + reader.position }
    }
    return nil
  }

  /// The member at a place. Valid as the head is.
  func member(at place: Range<Int>) -> WindowMember? {
    var reader = ByteReader(block.view.slice(place))
    return WindowMember(&reader)
  }

  /// Appends one encoded member.
  mutating func append(_ member: ByteView, fragmentBytes: Int, _ pool: inout BlockPool) {
    block.append(member, &pool)
    memberCount += 1
    if fragmentBytes > 0 {
      itemCount += 1
      itemBytes += UInt32(fragmentBytes)
    }
  }

  /// The members in the order of their arrival, each valid as the head is.
  var members: WindowMembers { WindowMembers(block.view.slice(Int(headLength)..<block.count)) }
}

/// The members of a window, one after the other.
struct WindowMembers: Sequence, IteratorProtocol {
  private var reader: ByteReader

  init(_ bytes: ByteView) { reader = ByteReader(bytes) }

  mutating func next() -> WindowMember? { reader.isAtEnd ? nil : WindowMember(&reader) }
}

/// Memory of one window, owned by the store that holds the window.
struct Block {
  private(set) var start: UnsafeMutablePointer<UInt8>?
  private(set) var capacity: Int = 0
  private(set) var count: Int = 0

  var view: ByteView { ByteView(start: start.map { UnsafePointer($0) }, count: count) }

  init() {}

  /// A block of exactly these bytes.
  init(copying bytes: ByteView) {
    guard let source = bytes.start else { return }
    let memory = UnsafeMutablePointer<UInt8>.allocate(capacity: bytes.count)
    memory.update(from: source, count: bytes.count)
    start = memory
    capacity = bytes.count
    count = bytes.count
  }

  /// Makes room for so many more bytes.
  mutating func reserve(_ additional: Int, _ pool: inout BlockPool) {
    guard count + additional > capacity else { return }
    let (memory, room) = pool.take(max(count + additional, capacity + capacity / 2))
    let moved = memory.assumingMemoryBound(to: UInt8.self)
    if let start {
      moved.update(from: start, count: count)
      pool.give(start, capacity: capacity)
    }
    start = moved
    capacity = room
  }

  mutating func append(_ bytes: ByteView, _ pool: inout BlockPool) {
    reserve(bytes.count, &pool)
    if let source = bytes.start, let start { (start + count).update(from: source, count: bytes.count) }
    count += bytes.count
  }

  mutating func truncate(to length: Int) { count = min(count, max(0, length)) }

  /// Takes bytes out of the middle.
  mutating func remove(_ range: Range<Int>) {
    guard let start, range.upperBound <= count else { return }
    (start + range.lowerBound).update(from: start + range.upperBound, count: count - range.upperBound)
    count -= range.count
  }

  /// Puts bytes into the middle.
  mutating func insert(_ bytes: ByteView, at position: Int, _ pool: inout BlockPool) {
    guard position <= count, !bytes.isEmpty else { return }
    let behind = count - position
    append(bytes, &pool)
    guard behind > 0, let start, let source = bytes.start else { return }
    (start + position + bytes.count).update(from: start + position, count: behind)
    (start + position).update(from: source, count: bytes.count)
  }

  mutating func free() {
    start?.deallocate()
    self = Block()
  }

  /// Leaves its memory for the next ones.
  mutating func free(to pool: inout BlockPool) {
    if let start { pool.give(start, capacity: capacity) }
    self = Block()
  }
}
