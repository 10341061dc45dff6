/// A value for each channel that has one, in place of a dictionary and without its allocation.
public struct ChannelValues<Value: Equatable & Sendable>: Equatable, Sendable {
  /// The value of the email channel.
  public var email: Value?
  /// The value of the inbox.
  public var inapp: Value?

  /// Values of no channel or of those that are given.
  @inlinable
  public init(email: Value? = nil, inapp: Value? = nil) {
    self.email = email
    self.inapp = inapp
  }

  /// The value of a channel.
  @inlinable
  public subscript(channel: Channel) -> Value? {
    get {
      switch channel {
      case .email: email
      case .inapp: inapp
      }
    }
    set {
      switch channel {
      case .email: email = newValue
      case .inapp: inapp = newValue
      }
    }
  }
}
