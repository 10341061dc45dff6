import Contract

extension Window {
  /// A member's item in full.
  struct Item {
    /// The number of the member in its window.
    var index: Int
    /// What it is ranked by; without a number, behind all that have one.
    var rank: Double
    var expiry: Int64
    var json: ByteView
  }

  /// The items that a digest carries in full, in its order: of the first and the last in the order of their arrival,
  /// of the top from the largest number down, and of equal ones in the order of arrival.
  ///
  /// What has expired is among them: it takes the place that it had.
  ///
  /// - Parameter byteLimit: no further item is taken once one does not fit. The first are bounded when they come, except
  ///   those that are kept because they may have to be delivered by themselves.
  func fullItems(_ head: WindowHead, byteLimit: Int) -> [Item] {
    var items: [Item] = []
    for (index, member) in members.enumerated() where !member.fragment.isEmpty {
      items.append(
        Item(index: index, rank: member.rank ?? -.infinity, expiry: member.expiry, json: member.fragment))
    }
    switch head.rules.selection {
    case .first:
      return fitting(items, head, byteLimit)
    case .last:
      items.reverse()
      return fitting(items, head, byteLimit).reversed()
    case .top:
      items.sort { $0.rank == $1.rank ? $0.index < $1.index : $0.rank > $1.rank }
      return fitting(items, head, byteLimit)
    }
  }

  private func fitting(_ items: [Item], _ head: WindowHead, _ byteLimit: Int) -> [Item] {
    var bytes = 0
    return Array(
      items.prefix(head.itemLimit).prefix { item in
        bytes += item.json.count
        return bytes <= byteLimit
      })
  }

  /// Whether the next member may have to be delivered by itself when the window closes.
  func isAloneNeeded(_ head: WindowHead) -> Bool {
    guard let minItems = head.rules.minItems, minItems.fewer == .single else { return false }
    return Int(memberCount) < minItems.count - 1
  }

  /// Whether it has so few members that it becomes no digest.
  func hasTooFew(_ head: WindowHead) -> Bool {
    guard let minItems = head.rules.minItems else { return false }
    return memberCount > 0 && Int(memberCount) < minItems.count
  }

  /// Whether so many items wait that are not going to be in the digest that it is worth to let go of them.
  func isWorthTrimming(_ head: WindowHead, byteLimit: Int) -> Bool {
    if head.rules.selection == .first { return false }
    // Those that may have to be delivered by themselves stay.
    let staying = head.itemLimit + (head.rules.minItems?.count ?? 0)
    if Int(itemCount) > staying + head.itemLimit + Int(memberCount) / 8 { return true }
    return Int(itemBytes) > 2 * byteLimit && Int(itemCount) > staying
  }

  /// Head and members without the items that are not going to be in the digest, whatever still comes, nor delivered by
  /// themselves.
  func trimmed(_ head: WindowHead, byteLimit: Int) -> (block: Block, itemCount: UInt32, itemBytes: UInt32) {
    let kept = Set(fullItems(head, byteLimit: byteLimit).map(\.index))
    var buffer = OutputBuffer(capacity: block.count)
    buffer.append(block.view.slice(0..<Int(headLength)))
    var (count, bytes) = (0, 0)
    for (index, member) in members.enumerated() {
      var member = member
      if !kept.contains(index), member.alone.isEmpty { member.fragment = .empty }
      if !member.fragment.isEmpty { count += 1 }
      bytes += member.fragment.count
      member.append(to: &buffer)
    }
    return (Block(copying: buffer.view), UInt32(count), UInt32(clamping: bytes))
  }
}

/// A block that was replaced, until nobody needs it to take that back.
final class ReplacedBlock {
  private var block: Block
  let itemCount: UInt32
  let itemBytes: UInt32

  init(_ window: Window) {
    block = window.block
    itemCount = window.itemCount
    itemBytes = window.itemBytes
  }

  deinit { block.free() }

  /// Hands the block over.
  func take() -> Block {
    defer { block = Block() }
    return block
  }
}
