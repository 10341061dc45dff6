import CXXHash
import Contract

/// The open windows of a partition: slots that are used again, an index by key, and the queue of what is due.
struct WindowStore: ~Copyable {
  private var slots: [Window] = []
  private var freeSlots: [UInt32] = []
  /// The most windows that were open since slots were last given back.
  private var crowd = 0
  private var index = SlotTable<UInt32>()
  /// By the hash of a recipient's key: the first of their windows.
  private var recipients = SlotTable<UInt32>()
  private var pool = BlockPool(smallest: 64, doublings: 9)
  private var scratch = OutputBuffer(capacity: 64)
  private(set) var queue = DueQueue()
  /// What is due at one instant and is off the queue, in the order in which it closes, the first one last. Entries may be
  /// stale.
  private(set) var dueTogether: [DueQueue.Entry] = []
  /// Used while they are put in order.
  private var places: [ClosingPlace] = []
  /// Bytes of the blocks of open windows.
  private(set) var bytes = 0

  deinit {
    for var window in slots { window.block.free() }
  }

  /// The number of open windows.
  var count: Int { index.count }

  func find(_ key: Hash128) -> UInt32? { index.find(key) }

  /// Asks for the index entry of a key.
  func prefetch(_ key: Hash128) { index.prefetch(key) }

  /// Asks for the window of a key, whose index entry should be there already.
  func prefetchWindow(_ key: Hash128) {
    guard let slot = index.find(key) else { return }
    slots.withUnsafeBufferPointer { slots in
      guard let first = slots.baseAddress else { return }
      let window = UnsafeRawPointer(first + Int(slot))
      prefetch_memory(window)
      prefetch_memory(window + 64)
    }
  }

  /// Asks for both ends of a window's block: the head is read, a member appended.
  func prefetchBlock(_ key: Hash128) {
    guard let slot = index.find(key), let start = slots[Int(slot)].block.start else { return }
    prefetch_memory(start)
    prefetch_memory(start + slots[Int(slot)].block.count)
  }

  subscript(slot: UInt32) -> Window {
    @inline(__always) get { slots[Int(slot)] }
  }

  /// Opens a window with its head as the first bytes of its block.
  ///
  /// - Parameter expecting: the bytes of the member that comes next, about.
  mutating func open(
    key: Hash128, id: Hash128, opened: Int64, due: Int64, head: ByteView, _ outline: WindowOutline,
    expecting: Int = 0
  ) -> UInt32 {
    var block = Block()
    block.reserve(head.count + expecting, &pool)
    block.append(head, &pool)
    return add(
      Window(
        key: key, id: id, opened: opened, due: due, block: block, headLength: UInt32(head.count),
        outline: outline))
  }

  /// Opens a window again as the state log has it; nil where its head is none.
  mutating func open(key: Hash128, id: Hash128, opened: Int64, due: Int64, head: ByteView) -> UInt32? {
    guard let outline = outline(ofHead: head) else { return nil }
    return open(key: key, id: id, opened: opened, due: due, head: head, outline)
  }

  private mutating func outline(ofHead bytes: ByteView) -> WindowOutline? {
    var reader = ByteReader(bytes)
    guard let head = WindowHead(&reader) else { return nil }
    scratch.removeAll()
    RecipientKey.append(tenant: head.tenant, recipient: head.recipient, to: &scratch)
    return WindowOutline(head, recipient: Hash128(of: scratch.view))
  }

  /// Makes room for as many windows as are to be loaded, by the top byte of their keys.
  mutating func reserve(_ counts: [UInt32]) {
    let total = counts.reduce(0) { $0 + Int($1) }
    slots.reserveCapacity(slots.count + total)
    queue.reserve(total)
    index.reserve(counts)
  }

  /// Loads a window as an image holds it; false where its members are none, or where it is there already.
  mutating func load(_ image: SnapshotImage.WindowImage) -> Bool {
    guard index.find(image.key) == nil,
      let outline = outline(ofHead: image.block.slice(0..<Int(image.headLength)))
    else { return false }
    var window = Window(
      key: image.key, id: image.id, opened: image.opened, due: image.due, block: Block(),
      headLength: image.headLength, outline: outline)
    var reader = ByteReader(image.block.slice(Int(image.headLength)..<image.block.count))
    while !reader.isAtEnd {
      guard let member = WindowMember(&reader) else { return false }
      window.memberCount += 1
      guard !member.fragment.isEmpty else { continue }
      window.itemCount += 1
      window.itemBytes += UInt32(clamping: member.fragment.count)
    }
    window.block = Block(copying: image.block)
    _ = add(window)
    return true
  }

  private mutating func add(_ window: Window) -> UInt32 {
    let slot: UInt32
    if let free = freeSlots.popLast() {
      slot = free
      let generation = slots[Int(free)].generation &+ 1
      slots[Int(free)] = window
      slots[Int(free)].generation = generation
    } else {
      slot = UInt32(slots.count)
      slots.append(window)
    }
    bytes += window.block.count
    index.insert(window.key, slot: slot)
    crowd = max(crowd, count)
    link(slot)
    push(slot)
    return slot
  }

  /// Appends one encoded member.
  mutating func append(_ member: ByteView, fragmentBytes: Int, to slot: UInt32) {
    slots[Int(slot)].append(member, fragmentBytes: fragmentBytes, &pool)
    bytes += member.count
  }

  /// Lets go of the items that a window's digest is not going to carry.
  ///
  /// - Returns: what takes it back; nil where the window has no head.
  mutating func trim(_ slot: UInt32, byteLimit: Int) -> ReplacedBlock? {
    let window = slots[Int(slot)]
    guard let head = window.head else { return nil }
    let (block, itemCount, itemBytes) = window.trimmed(head, byteLimit: byteLimit)
    slots[Int(slot)].block = block
    slots[Int(slot)].itemCount = itemCount
    slots[Int(slot)].itemBytes = itemBytes
    bytes += block.count - window.block.count
    return ReplacedBlock(window)
  }

  /// Undoes `trim`.
  mutating func untrim(_ slot: UInt32, _ before: ReplacedBlock) {
    bytes -= slots[Int(slot)].block.count
    slots[Int(slot)].block.free()
    slots[Int(slot)].block = before.take()
    slots[Int(slot)].itemCount = before.itemCount
    slots[Int(slot)].itemBytes = before.itemBytes
    bytes += slots[Int(slot)].block.count
  }

  /// Makes a window due at another instant.
  mutating func setDue(_ due: Int64, of slot: UInt32) {
    slots[Int(slot)].due = due
    slots[Int(slot)].generation &+= 1
    push(slot)
  }

  /// Takes a window out of index and queue; its slot and block stay until `release`, so that `reopen` can undo it.
  mutating func close(_ slot: UInt32) {
    slots[Int(slot)].isOpen = false
    index.remove(slots[Int(slot)].key)
    unlink(slot)
    bytes -= slots[Int(slot)].block.count
  }

  /// Undoes `close`.
  mutating func reopen(_ slot: UInt32) {
    slots[Int(slot)].isOpen = true
    slots[Int(slot)].generation &+= 1
    index.insert(slots[Int(slot)].key, slot: slot)
    link(slot)
    bytes += slots[Int(slot)].block.count
    push(slot)
  }

  /// Undoes `append`: the block and the counts as they were.
  mutating func rewind(_ slot: UInt32, blockCount: Int, fragmentBytes: Int) {
    bytes -= slots[Int(slot)].block.count - blockCount
    slots[Int(slot)].block.truncate(to: blockCount)
    slots[Int(slot)].memberCount -= 1
    if fragmentBytes > 0 {
      slots[Int(slot)].itemCount -= 1
      slots[Int(slot)].itemBytes -= UInt32(fragmentBytes)
    }
  }

  /// Takes the member at a place out of a window.
  mutating func withdraw(at place: Range<Int>, from slot: UInt32) {
    count(slots[Int(slot)].block.view.slice(place), in: slot, by: -1)
    slots[Int(slot)].block.remove(place)
    bytes -= place.count
  }

  /// Undoes `withdraw`.
  mutating func restore(_ member: ByteView, at position: Int, to slot: UInt32) {
    slots[Int(slot)].block.insert(member, at: position, &pool)
    bytes += member.count
    count(member, in: slot, by: 1)
  }

  private mutating func count(_ bytes: ByteView, in slot: UInt32, by sign: Int) {
    var reader = ByteReader(bytes)
    guard let member = WindowMember(&reader) else { return }
    func add(_ count: inout UInt32, _ number: Int) { count = UInt32(clamping: Int(count) + sign * number) }
    add(&slots[Int(slot)].memberCount, 1)
    guard !member.fragment.isEmpty else { return }
    add(&slots[Int(slot)].itemCount, 1)
    add(&slots[Int(slot)].itemBytes, member.fragment.count)
  }

  /// Frees a closed window's block and slot.
  mutating func release(_ slot: UInt32) {
    slots[Int(slot)].block.free(to: &pool)
    slots[Int(slot)].generation &+= 1
    freeSlots.append(slot)
  }

  /// Gives memory back that windows no longer have, except what the next ones are soon going to need.
  ///
  /// No slot that anything still refers to may be free: that of a closed window is not before its closing is confirmed.
  mutating func shrink() {
    pool.shrink(to: (64 << 10) + bytes / 4)
    // Whenever half of them are gone: seldom enough to cost nothing beside their closing.
    guard slots.count > 1024, count <= crowd / 2 else { return }
    crowd = count
    shrinkSlots()
  }

  /// Slots keep their numbers, so that only those behind the last open window go. The lowest free ones are used next: the
  /// last ones become free in time.
  private mutating func shrinkSlots() {
    freeSlots.sort(by: >)
    var end = slots.count
    var freed = 0
    while freed < freeSlots.count, Int(freeSlots[freed]) == end - 1 {
      end -= 1
      freed += 1
    }
    // Few are not worth a copy of the others.
    guard freed * 4 >= slots.count else { return }
    // None of what is stale may be taken for a later window in one of these slots.
    let windows = slots
    func isCurrent(_ entry: DueQueue.Entry) -> Bool {
      windows[Int(entry.slot)].isOpen && windows[Int(entry.slot)].generation == entry.generation
    }
    dueTogether = dueTogether.filter(isCurrent)
    queue.compact(isCurrent)
    slots = Array(windows[..<end])
    freeSlots = Array(freeSlots[freed...])
  }

  /// The windows that there is room for without asking for memory: those that are open, and what closed ones have left.
  var slotCount: Int { slots.count }

  /// The instant at which the next window is due.
  mutating func nextDue() -> Int64? {
    while let last = dueTogether.last, !isCurrent(last) { dueTogether.removeLast() }
    while let first = queue.first, !isCurrent(first) { _ = queue.popFirst() }
    guard let waiting = dueTogether.last?.due else { return queue.first?.due }
    return min(waiting, queue.first?.due ?? waiting)
  }

  /// Takes the window that closes next off the queue, if it is due at `now`.
  ///
  /// However many are due at one instant, and however many calls take them, they are put in order once.
  mutating func popDue(at now: Int64) -> UInt32? {
    guard let due = nextDue(), due <= now else { return nil }
    if dueTogether.last?.due != due {
      // Something became due before those that wait.
      for entry in dueTogether { queue.push(entry) }
      dueTogether.removeAll(keepingCapacity: true)
    }
    let known = dueTogether.count
    if known == 0, let first = queue.popFirst() {
      // As a rule, it is alone.
      guard queue.first?.due == due else { return first.slot }
      dueTogether.append(first)
    }
    while let first = queue.first, first.due == due {
      if isCurrent(first) { dueTogether.append(first) }
      _ = queue.popFirst()
    }
    if dueTogether.count > max(known, 1) { sortDueTogether() }
    // What was on the queue may have become stale among them.
    while let entry = dueTogether.popLast() {
      if isCurrent(entry) { return entry.slot }
    }
    return nil
  }

  /// By tenant, recipient, channel and digest key, the first one last.
  private mutating func sortDueTogether() {
    places.removeAll(keepingCapacity: true)
    for entry in dueTogether where isCurrent(entry) {
      places.append(ClosingPlace(entry, slots[Int(entry.slot)]))
    }
    places.sort { $1 < $0 }
    dueTogether.removeAll(keepingCapacity: true)
    for place in places { dueTogether.append(place.entry) }
    // The next instant may have few: a rare crowd is not kept.
    if places.capacity > 4096 { places = [] }
  }

  private mutating func push(_ slot: UInt32) {
    let window = slots[Int(slot)]
    queue.push(DueQueue.Entry(due: window.due, slot: slot, generation: window.generation))
    if queue.count > 1024, queue.count > 4 * index.count {
      let slots = slots
      queue.compact { slots[Int($0.slot)].isOpen && slots[Int($0.slot)].generation == $0.generation }
    }
  }

  /// The windows whose key has its top 16 bits within `prefixes`, in the order of the keys.
  func entries(prefixes: Range<UInt32>) -> [(key: Hash128, slot: UInt32)] {
    index.entries(prefixes: prefixes)
  }

  // MARK: - By recipient

  /// The open windows of a recipient in the order of their keys.
  func slots(ofRecipient recipient: Hash128) -> [UInt32] {
    var found: [UInt32] = []
    var next = recipients.find(recipient) ?? Window.none
    while next != Window.none {
      found.append(next)
      next = slots[Int(next)].next
    }
    if found.count > 1 { found.sort { slots[Int($0)].key < slots[Int($1)].key } }
    return found
  }

  private mutating func link(_ slot: UInt32) {
    let recipient = slots[Int(slot)].recipient
    let first = recipients.find(recipient)
    slots[Int(slot)].previous = Window.none
    slots[Int(slot)].next = first ?? Window.none
    if let first {
      slots[Int(first)].previous = slot
      recipients.update(recipient, slot: slot)
    } else {
      recipients.insert(recipient, slot: slot)
    }
  }

  private mutating func unlink(_ slot: UInt32) {
    let (previous, next) = (slots[Int(slot)].previous, slots[Int(slot)].next)
    if next != Window.none { slots[Int(next)].previous = previous }
    if previous != Window.none {
      slots[Int(previous)].next = next
    } else if next != Window.none {
      recipients.update(slots[Int(slot)].recipient, slot: next)
    } else {
      recipients.remove(slots[Int(slot)].recipient)
    }
    slots[Int(slot)].previous = Window.none
    slots[Int(slot)].next = Window.none
  }

  private func isCurrent(_ entry: DueQueue.Entry) -> Bool {
    let window = slots[Int(entry.slot)]
    return window.isOpen && window.generation == entry.generation
  }
}
