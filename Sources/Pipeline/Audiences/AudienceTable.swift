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
  /// The parts of one audience, in any order: there may be one for each follower.
  private struct Audience {
    /// As many are looked through: most audiences need no more memory than that.
    static let fewParts = 16

    private(set) var parts: [AudiencePart] = []
    /// Where more parts than a few are, by their keys.
    private var places: [Hash128: Int] = [:]

    func place(of key: Hash128) -> Int? {
      parts.count > Self.fewParts ? places[key] : parts.firstIndex { $0.key == key }
    }

    mutating func set(_ part: AudiencePart, at place: Int?) {
      if let place {
        parts[place] = part
      } else {
        parts.append(part)
        note((parts.count == Self.fewParts + 1 ? 0 : parts.count - 1)..<parts.count)
      }
    }

    /// The last part takes the place.
    mutating func remove(at place: Int) {
      parts.swapAt(place, parts.count - 1)
      places[parts.removeLast().key] = nil
      if parts.count == Self.fewParts { places = [:] } else if place < parts.count { note(place..<place + 1) }
    }

    private mutating func note(_ range: Range<Int>) {
      guard parts.count > Self.fewParts else { return }
      for place in range { places[parts[place].key] = place }
    }
  }

  private var slots: [Audience] = []
  private var freeSlots: [UInt32] = []
  private var index = SlotTable<UInt32>()
  /// Members in memory, of all parts.
  private(set) var memberCount = 0
  /// Bytes of all parts.
  private(set) var byteCount = 0

  /// The number of audiences that have a part.
  var count: Int { index.count }

  /// The parts of an audience in any order; none where it is unknown.
  func parts(of audience: Hash128) -> [AudiencePart] {
    index.find(audience).map { slots[Int($0)].parts } ?? []
  }

  /// The part of a key.
  func part(_ key: Hash128, of audience: Hash128) -> AudiencePart? {
    guard let slot = index.find(audience) else { return nil }
    let audience = slots[Int(slot)]
    return audience.place(of: key).map { audience.parts[$0] }
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
        slots.append(Audience())
      }
      index.insert(audience, slot: slot)
    }
    let place = slots[Int(slot)].place(of: key)
    if let place { count(slots[Int(slot)].parts[place], by: -1) }
    if let part {
      slots[Int(slot)].set(part, at: place)
      count(part, by: 1)
    } else if let place {
      slots[Int(slot)].remove(at: place)
    }
    if slots[Int(slot)].parts.isEmpty {
      slots[Int(slot)] = Audience()
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
