import Contract

/// One part of an audience as its last record says.
struct AudiencePart {
  /// The hash of the part's record key.
  var key: Hash128
  /// Who is in it.
  var members: MemberBlock
  /// Where the record was published first, if that was not here.
  var origin: RecordOrigin?
}

/// The audiences whose home is this partition: the table that the compacted subscriptions topic holds.
struct AudienceTable: ~Copyable {
  private var slots: [[AudiencePart]] = []
  private var freeSlots: [UInt32] = []
  private var index = SlotTable<UInt32>()
  /// Members in memory, of all parts.
  private(set) var memberCount = 0
  /// Bytes of all parts.
  private(set) var byteCount = 0

  /// The number of audiences that have a part.
  var count: Int { index.count }

  /// The parts of an audience; none where it is unknown.
  func parts(of audience: Hash128) -> [AudiencePart] { index.find(audience).map { slots[Int($0)] } ?? [] }

  /// The part of a key.
  func part(_ key: Hash128, of audience: Hash128) -> AudiencePart? {
    guard let slot = index.find(audience) else { return nil }
    return slots[Int(slot)].first { $0.key == key }
  }

  /// Sets or removes a part of an audience. An audience without parts is forgotten.
  mutating func set(_ part: AudiencePart?, _ key: Hash128, of audience: Hash128) {
    let slot: UInt32
    if let known = index.find(audience) {
      slot = known
    } else {
      guard part != nil else { return }
      if let free = freeSlots.popLast() {
        slot = free
      } else {
        slot = UInt32(slots.count)
        slots.append([])
      }
      index.insert(audience, slot: slot)
    }
    let place = slots[Int(slot)].firstIndex { $0.key == key }
    if let place { count(slots[Int(slot)][place], by: -1) }
    switch (place, part) {
    case (let place?, let part?): slots[Int(slot)][place] = part
    case (let place?, nil): slots[Int(slot)].remove(at: place)
    case (nil, let part?): slots[Int(slot)].append(part)
    case (nil, nil): break
    }
    if let part { count(part, by: 1) }
    if slots[Int(slot)].isEmpty {
      index.remove(audience)
      freeSlots.append(slot)
    }
  }

  /// Forgets everything.
  mutating func removeAll() { self = AudienceTable() }

  private mutating func count(_ part: AudiencePart, by sign: Int) {
    memberCount += sign * part.members.count
    byteCount += sign * part.members.byteCount
  }
}
