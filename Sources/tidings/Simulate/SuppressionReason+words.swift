import Contract
import Pipeline

extension SuppressionReason {
  /// The reasons that a table of outcomes has a column for: the three that every history may have, and others where
  /// something was suppressed for them.
  static func shown(in counters: [Counters]) -> [SuppressionReason] {
    allCases.filter { reason in
      [.duplicate, .optedOut, .noAddress].contains(reason)
        || counters.contains { $0.total.suppressed[reason] > 0 }
    }
  }

  /// The code in words: `own action`.
  var words: String {
    literal.description.reduce(into: "") { $0 += $1.isUppercase ? " \($1.lowercased())" : "\($1)" }
  }
}
