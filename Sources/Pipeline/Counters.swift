import Contract

/// The counters of the conservation law (design §3), kept per home partition in its state.
///
///     consumed = decided + forwarded + rejected + tombstones
///     accepted = delivered + suppressed + expired + retracted + collapsed + open
public struct Counters: Equatable, Sendable {
  /// Records taken in, of all input topics.
  public var consumed: Int64 = 0
  /// Records decided here: arrivals, and recipients' records that were applied.
  public var decided: Int64 = 0
  /// Records handed on to another home.
  public var forwarded: Int64 = 0
  /// Records that could not be read.
  public var rejected: Int64 = 0
  /// Recipients' records that delete.
  public var tombstones: Int64 = 0
  /// Records written to other homes: a forwarded record of n recipients counts n.
  public var forwards: Int64 = 0
  /// Deliveries by email.
  public var email = ChannelCounters()
  /// Deliveries to the inbox.
  public var inapp = ChannelCounters()

  /// All at zero.
  public init() {}

  /// The counters of a channel.
  public subscript(channel: Channel) -> ChannelCounters {
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

  /// The counters of all channels together.
  public var total: ChannelCounters { email + inapp }

  /// What the law leaves over: 0, or there is a fault.
  public var difference: Int64 {
    let input = consumed - decided - forwarded - rejected - tombstones
    return input.magnitude > 0 ? input : email.difference + inapp.difference
  }

  /// The sums over two partitions.
  public static func + (left: Counters, right: Counters) -> Counters {
    var sum = left
    for path in codedFields { sum[keyPath: path] += right[keyPath: path] }
    return sum
  }

  /// The fields in the order in which the state's header holds them: new ones come at the end.
  static var codedFields: [WritableKeyPath<Counters, Int64>] {
    [
      \.consumed, \.decided, \.forwarded, \.rejected, \.tombstones, \.forwards,
      \.email.accepted, \.email.delivered, \.email.suppressed.duplicate, \.email.suppressed.optedOut,
      \.email.suppressed.noAddress, \.email.expired, \.email.retracted, \.email.collapsed, \.email.open,
      \.inapp.accepted, \.inapp.delivered, \.inapp.suppressed.duplicate, \.inapp.suppressed.optedOut,
      \.inapp.suppressed.noAddress, \.inapp.expired, \.inapp.retracted, \.inapp.collapsed, \.inapp.open,
    ]
  }
}

/// What became of the notifications of one channel.
public struct ChannelCounters: Equatable, Sendable {
  /// Taken on: one per arrival whose type lists the channel.
  public var accepted: Int64 = 0
  /// Handed to the sink, alone or in a digest.
  public var delivered: Int64 = 0
  /// Left out, by reason.
  public var suppressed = SuppressionCounters()
  /// Due too late.
  public var expired: Int64 = 0
  /// Taken back by their sender.
  public var retracted: Int64 = 0
  /// Replaced by a newer one.
  public var collapsed: Int64 = 0
  /// Waiting in a window.
  public var open: Int64 = 0

  /// All at zero.
  public init() {}

  /// What the law leaves over.
  public var difference: Int64 {
    accepted - delivered - suppressed.total - expired - retracted - collapsed - open
  }

  /// The sums of two channels.
  public static func + (left: ChannelCounters, right: ChannelCounters) -> ChannelCounters {
    var sum = left
    sum.accepted += right.accepted
    sum.delivered += right.delivered
    for reason in SuppressionReason.allCases { sum.suppressed[reason] += right.suppressed[reason] }
    sum.expired += right.expired
    sum.retracted += right.retracted
    sum.collapsed += right.collapsed
    sum.open += right.open
    return sum
  }
}

/// Suppressed notifications by reason.
public struct SuppressionCounters: Equatable, Sendable {
  var duplicate: Int64 = 0
  var optedOut: Int64 = 0
  var noAddress: Int64 = 0

  /// All at zero.
  public init() {}

  /// The count of a reason.
  public subscript(reason: SuppressionReason) -> Int64 {
    get {
      switch reason {
      case .duplicate: duplicate
      case .optedOut: optedOut
      case .noAddress: noAddress
      }
    }
    set {
      switch reason {
      case .duplicate: duplicate = newValue
      case .optedOut: optedOut = newValue
      case .noAddress: noAddress = newValue
      }
    }
  }

  /// All reasons together.
  public var total: Int64 { duplicate + optedOut + noAddress }
}
