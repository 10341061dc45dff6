/// A way on which a notification reaches its recipient.
public enum Channel: UInt8, CaseIterable, Sendable {
  /// An email to the recipient's address.
  case email = 0
  /// An entry in the recipient's inbox inside the product.
  case inapp = 1

  /// All channels in the order of their numbers.
  @inlinable public static var allCases: AllCases { AllCases() }

  /// The channels as a collection that is no array: loops over them are many for each event.
  public struct AllCases: RandomAccessCollection, Sendable {
    @inlinable init() {}

    /// The number of the first channel.
    @inlinable public var startIndex: Int { 0 }
    /// The number behind the last channel.
    @inlinable public var endIndex: Int { 2 }
    /// The channel of a number.
    @inlinable public subscript(number: Int) -> Channel { number == 0 ? .email : .inapp }
  }

  /// The name in topics, catalogs and records.
  public var literal: StaticString {
    switch self {
    case .email: "email"
    case .inapp: "inapp"
    }
  }

  /// The name in topics, catalogs and records.
  public var name: String { literal.description }

  /// The channel of that name; nil if there is none.
  public init?(name: ByteView) {
    for channel in Channel.allCases where name.equals(channel.literal) {
      self = channel
      return
    }
    return nil
  }

  /// The channel of that name; nil if there is none.
  public init?(name: String) {
    guard let channel = name.withByteView({ Channel(name: $0) }) else { return nil }
    self = channel
  }
}
