import Contract
import MarkedYAML

/// A limit as a catalog's authors wrote it.
struct DeliveryLimitDefinition: Equatable {
  var count: Int
  var periodMilliseconds: Int64
  /// A digest.
  var overflow: PolicyDefinition

  /// Appends the one encoding that equal contents have.
  func appendCanonical(to output: inout OutputBuffer) {
    output.append(varint: UInt64(count))
    output.append(littleEndian: periodMilliseconds)
    overflow.appendCanonical(to: &output)
  }
}

extension DeliveryLimitDefinition {
  /// Reads a limit. What is wrong is reported to the document, and nil returned.
  init?(reading value: YAMLValue) {
    guard let mapping = value.mapping(keys: ["limit", "period", "overflow"]) else { return nil }
    let count = mapping.required("limit")?.integer(in: DeliveryLimit.countBounds)
    let period = mapping.required("period")?.duration(in: DeliveryLimit.periodBounds)
    let overflow = mapping.required("overflow").flatMap { PolicyDefinition(readingOverflow: $0) }
    guard let count, let period, let overflow else { return nil }
    self.init(count: count, periodMilliseconds: period.wholeMilliseconds, overflow: overflow)
  }

  /// What goes beyond a budget shares one digest, whatever its category, unless its group is named.
  static let budgetGroup = "budget"

  /// Reads the limit of a `budget`. What is wrong is reported to the document, and nil returned.
  init?(readingBudget value: YAMLValue) {
    self.init(reading: value)
    overflow = overflow.grouped(Self.budgetGroup)
  }
}
