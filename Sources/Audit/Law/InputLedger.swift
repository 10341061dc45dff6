import Contract
import Pipeline

/// What became of the records of one input of a partition, by offset: a byte a record.
struct InputLedger {
  /// What is known of an offset.
  struct Marks: OptionSet {
    let rawValue: UInt8
    /// The record is there.
    static let present = Marks(rawValue: 1)
    static let decided = Marks(rawValue: 2)
    static let rejected = Marks(rawValue: 4)
    static let forwarded = Marks(rawValue: 8)
    /// Decided or rejected more than once.
    static let again = Marks(rawValue: 16)
    static let outcomes: Marks = [.decided, .rejected, .forwarded]
  }

  let topic: String
  let offsets: Range<Int64>
  private var marks: [UInt8]

  init(topic: String, offsets: Range<Int64>) {
    self.topic = topic
    self.offsets = offsets
    marks = [UInt8](repeating: 0, count: offsets.count)
  }

  subscript(offset: Int64) -> Marks {
    offsets.contains(offset) ? Marks(rawValue: marks[Int(offset - offsets.lowerBound)]) : []
  }

  /// Notes an outcome or a presence. What lies outside of the cut is passed over.
  mutating func note(_ mark: Marks, at offset: Int64) {
    guard offsets.contains(offset) else { return }
    let index = Int(offset - offsets.lowerBound)
    let before = Marks(rawValue: marks[index])
    marks[index] = before.union(before.isSuperset(of: mark) ? [mark, .again] : mark).rawValue
  }

  /// Records that were rejected, whether they are still there or not.
  var rejectedCount: Int64 {
    marks.reduce(0) { $0 + ($1 & Marks.rejected.rawValue == 0 ? 0 : 1) }
  }

  /// Holds outcomes against records, once all were noted. Offsets with neither are transaction markers.
  ///
  /// - Parameter excused: records without an outcome that are no findings, because retention may have deleted it.
  func check(_ partition: Int32, excused: Set<Int64>, into findings: inout Findings) {
    for (index, raw) in marks.enumerated() where raw != 0 {
      let offset = offsets.lowerBound + Int64(index)
      let found = Marks(rawValue: raw)
      let outcomes = found.intersection(.outcomes)
      if outcomes.isEmpty {
        guard !excused.contains(offset) else { continue }
        findings.add(
          .lostRecord, topic, partition, offset, "consumed, but neither decided nor forwarded nor rejected")
      } else if !found.contains(.present) {
        findings.add(
          .foreignOutcome, topic, partition, offset, "\(outcomes.words), but there is no such record")
      } else if found.contains(.again) || outcomes.rawValue.nonzeroBitCount > 1 {
        findings.add(.doubledRecord, topic, partition, offset, "\(outcomes.words) more than once")
      }
    }
  }
}

extension InputLedger.Marks {
  fileprivate var words: String {
    var words: [String] = []
    if contains(.decided) { words.append("decided") }
    if contains(.forwarded) { words.append("forwarded") }
    if contains(.rejected) { words.append("rejected") }
    return words.joined(separator: " and ")
  }
}
