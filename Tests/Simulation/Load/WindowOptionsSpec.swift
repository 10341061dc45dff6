import Contract
import SeededTesting

/// The options of a window as the checkers know them, apart from the policy's code.
struct WindowOptionsSpec {
  /// How long a window may become that slides by its length; nil: it does not slide.
  var longest: Int64?
  var maxItems: Int?
  var leadingEdge = false
  /// `actor`, `type` or `/n`.
  var key: [String] = []
  /// The number below which there is no digest, and whether fewer are held.
  var minItems: (count: Int, isHeld: Bool)?
  var selection = Selection.first

  /// Which items a digest carries in full; the top by what the data say.
  enum Selection {
    case first, last, top
  }

  /// How long a window that holds too few waits for the next notification at most.
  static let longestHold: Int64 = 31 * 86_400_000

  /// The keys of the catalog, each with a comma before it.
  var keys: String {
    var text = ""
    if let longest { text += ", sliding: true, maxWindow: \(longest)ms" }
    if let maxItems { text += ", maxItems: \(maxItems)" }
    if leadingEdge { text += ", leadingEdge: true" }
    if !key.isEmpty { text += ", key: [\(key.joined(separator: ", "))]" }
    if let minItems {
      text += ", minItems: \(minItems.count), fewer: \(minItems.isHeld ? "hold" : "single")"
    }
    return text
  }

  /// The value of `items`.
  func items(_ count: Int) -> String {
    switch selection {
    case .first: "\(count)"
    case .last: "{ last: \(count) }"
    case .top: "{ top: \(count), by: /n }"
    }
  }

  /// - Parameter window: its length in milliseconds; nil where it closes by a schedule.
  static func draw(_ random: inout SeededGenerator, window: Int64?) -> WindowOptionsSpec {
    func chance(_ share: Int) -> Bool { Int.random(in: 0..<share, using: &random) == 0 }
    var options = WindowOptionsSpec()
    if let window, chance(3) { options.longest = window + Int64.random(in: 1...4 * window, using: &random) }
    if chance(3) { options.maxItems = Int.random(in: 2...5, using: &random) }
    options.leadingEdge = chance(4)
    if chance(4) {
      options.key = [["actor"], ["/n"], ["/n", "actor"], ["type"]][Int.random(in: 0..<4, using: &random)]
    }
    options.selection = [.first, .first, .last, .top][Int.random(in: 0..<4, using: &random)]
    if chance(3) {
      let count = Int.random(in: 2...(options.maxItems ?? 4), using: &random)
      options.minItems = (count, chance(2) && options.longest == nil)
    }
    return options
  }

  /// What shares a window besides recipient and channel, as docs/formats.md frames it.
  func digestKey(group: String, _ fact: EventFact) -> [UInt8] {
    var bytes = Array(group.utf8)
    if key.isEmpty { return bytes }
    bytes.append(0)
    for field in key {
      let value: (kind: UInt8, text: String)? =
        switch field {
        case "actor": fact.actor.map { (1, $0) }
        case "type": (1, fact.type)
        default: (2, "\(fact.number)")
        }
      bytes.append(value?.kind ?? 0)
      guard let value else { continue }
      // All are shorter than 128 bytes: a varint of one byte.
      bytes.append(UInt8(truncatingIfNeeded: value.text.utf8.count))
      bytes += Array(value.text.utf8)
    }
    return bytes
  }
}
