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

  /// Where among its bytes the length of the title template stands; the link template follows.
  var templatesOffset: Int {
    let texts =
      tenant.framedCount + recipient.framedCount + group.framedCount + category.framedCount + type.framedCount
    return 10 + OutputCursor.count(ofVarint: UInt64(max(0, itemLimit))) + texts
  }

  func append(to buffer: inout OutputBuffer) {
    let texts = title.framedCount + link.framedCount + digestTitle.framedCount
    buffer.write(atMost: templatesOffset + texts) { cursor in
      cursor.byte(channel.rawValue)
      cursor.byte(priority.rawValue)
      cursor.varint(UInt64(max(0, itemLimit)))
      cursor.integer(catalogVersion)
      cursor.lengthPrefixed(tenant)
      cursor.lengthPrefixed(recipient)
      cursor.lengthPrefixed(group)
      cursor.lengthPrefixed(category)
      cursor.lengthPrefixed(type)
      cursor.lengthPrefixed(title)
      cursor.lengthPrefixed(link)
      cursor.lengthPrefixed(digestTitle)
    }
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
  /// Whether it is critical, so that quiet hours do not hold back the window that slides on with it; false in windows
  /// that do not slide.
  var isCritical = false
  /// Whether its category is another than that which the window was opened with.
  var isOfOtherCategory = false
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
    /// Nothing follows.
    static let critical = Fields(rawValue: 64)
    /// Nothing follows.
    static let otherCategory = Fields(rawValue: 128)
  }

  /// The bytes that it takes.
  @inline(__always)
  var byteCount: Int {
    17 + (actor != 0 ? 8 : 0) + (expiry != Int64.max ? 8 : 0) + (collapseKey != 0 ? 16 : 0)
      + (rank != nil ? 8 : 0) + (alone.isEmpty ? 0 : alone.framedCount) + fragment.framedCount
  }

  func append(to buffer: inout OutputBuffer) {
    buffer.write(atMost: byteCount) { write(to: &$0) }
  }

  /// Writes its `byteCount` bytes.
  @inline(__always)
  func write(to cursor: inout OutputCursor) {
    var fields: Fields = []
    if actor != 0 { fields.insert(.actor) }
    if expiry != Int64.max { fields.insert(.expiry) }
    if collapseKey != 0 { fields.insert(.collapse) }
    if rank != nil { fields.insert(.rank) }
    if !alone.isEmpty { fields.insert(.alone) }
    if skipIfSeen { fields.insert(.skipIfSeen) }
    if isCritical { fields.insert(.critical) }
    if isOfOtherCategory { fields.insert(.otherCategory) }
    cursor.byte(fields.rawValue)
    cursor.hash(notification)
    if actor != 0 { cursor.integer(actor) }
    if expiry != Int64.max { cursor.integer(expiry) }
    if collapseKey != 0 {
      cursor.integer(collapseKey)
      cursor.integer(time)
    }
    if let rank { cursor.integer(rank.bitPattern) }
    if !alone.isEmpty { cursor.lengthPrefixed(alone) }
    cursor.lengthPrefixed(fragment)
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
    self.init(
      notification: notification, actor: 0, expiry: Int64.max, skipIfSeen: fields.contains(.skipIfSeen),
      fragment: .empty)
    isCritical = fields.contains(.critical)
    isOfOtherCategory = fields.contains(.otherCategory)
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

/// What a window keeps of its head besides its bytes: most have no rules, and members need no look at them. No part of
/// the state, since it is found again in the head.
struct WindowOutline {
  /// The hash of the recipient's key.
  var recipient: Hash128
  /// Where in the block the length of the title template stands; the link template follows.
  var templatesOffset: UInt32
  var itemLimit: UInt32
  /// Whether the head has rules.
  var hasRules: Bool
  /// Whether its group is the category that it was opened with, and nothing else.
  var isOfCategory: Bool

  init(_ head: WindowHead, recipient: Hash128) {
    self.recipient = recipient
    templatesOffset = UInt32(clamping: head.templatesOffset)
    itemLimit = UInt32(clamping: head.itemLimit)
    hasRules = !head.rules.isEmpty
    isOfCategory = head.group == head.category
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
  // These two stand here for the sake of a size of 128 bytes.
  var outline: WindowOutline
  var isOpen = true
  var headLength: UInt32
  var memberCount: UInt32 = 0
  var itemCount: UInt32 = 0
  /// Bytes of the full items.
  var itemBytes: UInt32 = 0
  var generation: UInt32 = 0
  /// The windows of the same recipient before and after this one; `none` where there is none. Found again whenever the
  /// window is loaded: no part of the state.
  var previous = Window.none
  var next = Window.none

  /// The number of no slot.
  static let none = UInt32.max

  /// A window without members.
  init(
    key: Hash128, id: Hash128, opened: Int64, due: Int64, block: Block, headLength: UInt32,
    outline: WindowOutline
  ) {
    self.key = key
    self.id = id
    self.opened = opened
    self.due = due
    self.block = block
    self.headLength = headLength
    self.outline = outline
  }

  /// The hash of the recipient's key.
  var recipient: Hash128 { outline.recipient }
  /// Whether its head has rules.
  var hasRules: Bool { outline.hasRules }

  /// Whether the digest's templates are these; an empty link stands for none.
  func hasTemplates(title: ByteView, link: ByteView) -> Bool {
    var reader = ByteReader(block.view.slice(Int(outline.templatesOffset)..<Int(headLength)))
    guard let ownTitle = reader.lengthPrefixed(), let ownLink = reader.lengthPrefixed() else { return false }
    return ownTitle == title && ownLink == link
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
  @inline(__always)
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
  @inline(__always)
  mutating func reserve(_ additional: Int, _ pool: inout BlockPool) {
    if count + additional > capacity { grow(additional, &pool) }
  }

  @inline(never)
  private mutating func grow(_ additional: Int, _ pool: inout BlockPool) {
    let (memory, room) = pool.take(max(count + additional, capacity + capacity / 2))
    let moved = memory.assumingMemoryBound(to: UInt8.self)
    if let start {
      moved.update(from: start, count: count)
      pool.give(start, capacity: capacity)
    }
    start = moved
    capacity = room
  }

  @inline(__always)
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
