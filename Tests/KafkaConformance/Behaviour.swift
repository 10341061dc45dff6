/// Something that Kafka does and that Tidings relies on.
public struct Behaviour: Sendable, CustomStringConvertible {
  /// What it is called in tables of differences.
  public let id: String
  /// What Kafka does.
  public let statement: String
  /// Asks it of a Kafka.
  ///
  /// - Throws: ``Otherwise``, or what a client threw, where it behaves otherwise.
  public let check: @Sendable (any KafkaUnderTest) throws -> Void

  init(_ id: String, _ statement: String, _ check: @escaping @Sendable (any KafkaUnderTest) throws -> Void) {
    self.id = id
    self.statement = statement
    self.check = check
  }

  /// The statement.
  public var description: String { statement }

  /// Every one, in an order that reads well.
  public static let all = topics + fetching + groups + staticMembers + transactions + fencing
}
