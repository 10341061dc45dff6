import Contract
import MarkedYAML

/// What a catalog's authors wrote of notifications that come too late.
struct CatchUpDefinition: Equatable {
  var afterMilliseconds: Int64
  /// A digest.
  var overflow: PolicyDefinition

  /// Appends the one encoding that equal contents have.
  func appendCanonical(to output: inout OutputBuffer) {
    output.append(littleEndian: afterMilliseconds)
    overflow.appendCanonical(to: &output)
  }
}

extension CatchUpDefinition {
  /// What is too late shares one digest, whatever its category, unless its group is named.
  static let group = "catchUp"

  /// Reads one channel's. What is wrong is reported to the document, and nil returned.
  init?(reading value: YAMLValue) {
    guard let mapping = value.mapping(keys: ["after", "overflow"]) else { return nil }
    let after = mapping.required("after")?.duration(in: CatchUp.afterBounds)
    let overflow = mapping.required("overflow").flatMap { PolicyDefinition(readingOverflow: $0) }
    guard let after, let overflow else { return nil }
    self.init(afterMilliseconds: after.wholeMilliseconds, overflow: overflow.grouped(Self.group))
  }
}
