import Contract
import Kafka

/// One thing that contradicts the law or its records: what, of which notification, and where.
public struct Finding: Equatable, Sendable, Encodable, CustomStringConvertible {
  /// What is wrong.
  public enum Kind: String, Sendable, Encodable {
    /// There are decisions, and no state.
    case lostState
    /// A record that was consumed has no outcome.
    case lostRecord
    /// A record has more than one outcome.
    case doubledRecord
    /// An outcome names a record that is not there.
    case foreignOutcome
    /// A recipient of a forwarded record got nothing.
    case lostForward
    /// A forward that was written twice.
    case doubledForward
    /// A forward of a record that names no such recipient, or is not there.
    case foreignForward
    /// A decision number is missing.
    case lostDecision
    /// A decision number comes twice or out of order.
    case doubledDecision
    /// A decision, delivery or forward that cannot be read.
    case unreadable
    /// A decision names a delivery that is not there.
    case lostDelivery
    /// A delivery is there more often than it was decided.
    case doubledDelivery
    /// A delivery that no decision names.
    case foreignDelivery
    /// A digest says another total than the decisions have members.
    case wrongTotal
    /// A closure names a notification that did not wait in its window.
    case foreignMember
    /// A notification waited in a window, and the closure of that window does not name it.
    case lostMember
  }

  /// What is wrong.
  public let kind: Kind
  /// The notification, delivery, window or decision, by its id; nil where only the place is known.
  public let id: String?
  /// The topic where to look.
  public let topic: String
  /// The partition.
  public let partition: Int32
  /// The offset; nil where a record is missing.
  public let offset: Int64?
  /// What was expected, in words.
  public let detail: String

  /// A finding of those parts.
  public init(kind: Kind, id: String?, topic: String, partition: Int32, offset: Int64?, detail: String) {
    self.kind = kind
    self.id = id
    self.topic = topic
    self.partition = partition
    self.offset = offset
    self.detail = detail
  }

  /// Kind, place, id and words.
  public var description: String {
    let place = offset.map { " offset \($0)" } ?? ""
    return "\(kind.rawValue): \(topic) [\(partition)]\(place)\(id.map { ", \($0)" } ?? ""): \(detail)"
  }
}

/// The findings of a partition: all are counted, the first are kept.
struct Findings {
  static let keptLimit = 100
  private(set) var count = 0
  private(set) var kept: [Finding] = []

  mutating func add(
    _ kind: Finding.Kind, _ topic: String, _ partition: Int32, _ offset: Int64? = nil, id: String? = nil,
    _ detail: @autoclosure () -> String
  ) {
    count += 1
    guard kept.count < Self.keptLimit else { return }
    kept.append(
      Finding(kind: kind, id: id, topic: topic, partition: partition, offset: offset, detail: detail()))
  }
}
