/// Why a record breaks the contract: the code that `tidings.rejected` and metrics carry.
///
/// The codes are stable: producers and alerts may rely on them. `docs/formats.md` explains each.
public enum RejectionReason: String, CaseIterable, Sendable {
  /// Value or data are not JSON where they have to be.
  case notJSON
  /// The record is no CloudEvent: neither content mode of the Kafka binding applies.
  case notCloudEvent
  /// A required attribute is absent.
  case missingAttribute
  /// An attribute is present and empty where it must not be.
  case emptyAttribute
  /// An attribute is given twice.
  case duplicateAttribute
  /// An attribute has a value of the wrong type or form.
  case invalidAttribute
  /// An attribute is longer than the limit.
  case attributeTooLong
  /// `specversion` is another one than 1.0.
  case unsupportedSpecVersion
  /// A text is not UTF-8.
  case invalidUTF8
  /// More than one of `recipient`, `recipients` and `audience` is given.
  case conflictingRecipients
  /// `recipients` names more than the limit.
  case tooManyRecipients
  /// A recipient is empty.
  case emptyRecipient
  /// A recipient holds what it must not.
  case invalidRecipient
  /// The tenant holds what it must not.
  case invalidTenant
  /// The record is larger than the limit.
  case recordTooLarge
  /// The record has no value.
  case tombstone
  /// The catalog does not know the type, and rejects what it does not know.
  case unknownType
  /// An audience or a part of one holds what it must not, or is empty.
  case invalidAudience

  /// The position among all reasons: an index for counters.
  public var index: Int { RejectionReason.allCases.firstIndex(of: self) ?? 0 }
}

/// A record that breaks the contract, with a sentence that its producer understands.
public struct Rejection: Error, Equatable, Sendable, CustomStringConvertible {
  /// The code.
  public let reason: RejectionReason
  /// What is wrong and what to do, naming the attribute; at most `maxDetailBytes`.
  public let detail: String

  /// The most bytes of a sentence: it goes into a header beside all that the record has.
  public static let maxDetailBytes = 500

  /// A rejection for a reason, with its sentence, of which only the beginning is kept where it is too long.
  public init(_ reason: RejectionReason, _ detail: String) {
    self.reason = reason
    self.detail = Self.beginning(of: detail)
  }

  /// Cut between two code points: one character may have any number of them.
  private static func beginning(of text: String) -> String {
    guard text.utf8.count > maxDetailBytes else { return text }
    let ellipsis = "…"
    let end = text.utf8.index(text.startIndex, offsetBy: maxDetailBytes - ellipsis.utf8.count)
    return String(text.unicodeScalars[..<text.unicodeScalars.index(before: end)]) + ellipsis
  }

  /// The code and the sentence.
  public var description: String { "\(reason.rawValue): \(detail)" }
}
