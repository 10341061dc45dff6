import Contract

/// The zones that one thread has met, by the bytes of their names: the look-up of the data path.
///
/// Not `Sendable`: it belongs to one partition or worker and is used on its thread only. A name that was met costs a
/// hash and a probe, without lock, allocation or Foundation; that holds for names that are no zone, too. It
/// remembers at most `maxNames` names: when they are full it forgets all of them and begins again, so that records
/// with ever different nonsense in them cost time and no memory. What it answers depends on the database alone.
public final class ZoneCache {
  /// The names that are remembered at most: several times the number of IANA's.
  public static let maxNames = 4_096

  private struct Entry {
    let hash: Hash128
    /// Nil for a name that is no zone.
    let zone: ZoneOffsets?
  }

  private let database: ZoneDatabase
  /// Open addressing by the hash, a power of two, at least half of it free.
  private var slots: [Entry?]
  private var count = 0

  /// A cache before a database.
  public init(_ database: ZoneDatabase = .system) {
    self.database = database
    slots = Array(repeating: nil, count: 64)
  }

  /// The zone of a name in UTF-8; nil where there is none.
  public func zone(named name: ByteView) -> ZoneOffsets? {
    let hash = Hash128(of: name)
    var slot = firstSlot(of: hash)
    while let entry = slots[slot] {
      if entry.hash == hash { return entry.zone }
      slot = (slot + 1) & (slots.count - 1)
    }
    let zone = database.zone(named: name.string)
    insert(Entry(hash: hash, zone: zone))
    return zone
  }

  private func insert(_ entry: Entry) {
    if count == ZoneCache.maxNames {
      slots = Array(repeating: nil, count: 64)
      count = 0
    } else if (count + 1) * 2 > slots.count {
      let old = slots
      slots = Array(repeating: nil, count: old.count * 2)
      for case let entry? in old { place(entry) }
    }
    place(entry)
    count += 1
  }

  private func place(_ entry: Entry) {
    var slot = firstSlot(of: entry.hash)
    while slots[slot] != nil { slot = (slot + 1) & (slots.count - 1) }
    slots[slot] = entry
  }

  private func firstSlot(of hash: Hash128) -> Int {
    Int(truncatingIfNeeded: hash.low) & (slots.count - 1)
  }
}
