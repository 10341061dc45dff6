import Contract

/// Walks the members of all parts of an audience in the order of fan-outs, from a hash on, each once however many
/// parts it is in.
struct MemberMerge {
  /// A part with the member that comes next in it; ordered as a heap, the first member of all in front.
  private struct Head {
    var hash: UInt64
    var id: ByteView
    var block: MemberBlock
    var index: Int
  }

  private var heads: [Head] = []
  private let isFlawed: Bool

  /// - Parameters:
  ///   - hash: the lowest hash of a member to visit.
  ///   - flaws: deliberate mistakes, for the simulation alone.
  init(_ parts: [AudiencePart], from hash: UInt64, flaws: Flaws) {
    isFlawed = flaws.contains(.membersOfPartsTwice)
    heads.reserveCapacity(parts.count)
    for part in parts {
      let index = part.members.index(from: hash)
      guard index < part.members.count else { continue }
      heads.append(Self.head(part.members, index))
    }
    for position in (0..<heads.count / 2).reversed() { sink(position) }
  }

  /// The next member, without going on; its id is valid as long as its block.
  var first: (hash: UInt64, id: ByteView)? { heads.first.map { ($0.hash, $0.id) } }

  /// Goes on behind the first member, in all parts that hold it.
  mutating func advance() {
    guard let (hash, id) = first else { return }
    while let next = heads.first, next.hash == hash, next.id == id {
      if next.index + 1 < next.block.count {
        heads[0] = Self.head(next.block, next.index + 1)
      } else {
        heads.swapAt(0, heads.count - 1)
        heads.removeLast()
      }
      sink(0)
      if isFlawed { return }
    }
  }

  private static func head(_ block: MemberBlock, _ index: Int) -> Head {
    Head(hash: block.hash(at: index), id: block.id(at: index), block: block, index: index)
  }

  private mutating func sink(_ position: Int) {
    var position = position
    while true {
      let left = 2 * position + 1
      guard left < heads.count else { return }
      let right = left + 1
      let least = right < heads.count && isBefore(right, left) ? right : left
      guard isBefore(least, position) else { return }
      heads.swapAt(least, position)
      position = least
    }
  }

  private func isBefore(_ left: Int, _ right: Int) -> Bool {
    let (left, right) = (heads[left], heads[right])
    return left.hash == right.hash ? left.id < right.id : left.hash < right.hash
  }
}
