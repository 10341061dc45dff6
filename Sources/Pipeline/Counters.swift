import Contract

/// The counters of the conservation law (design §3), kept per home partition in its state.
///
///     consumed = decided + forwarded + rejected + tombstones
///     accepted = delivered + suppressed + expired + retracted + collapsed + open
public struct Counters: Equatable, Sendable {
  /// Records taken in, of all input topics.
  public var consumed: Int64 = 0
  /// Records decided here: arrivals, records of recipients and audiences that were applied, and events for an audience
  /// that nobody follows or that came before.
  public var decided: Int64 = 0
  /// Records handed on to another home, or to the followers of an audience.
  public var forwarded: Int64 = 0
  /// Records that could not be read.
  public var rejected: Int64 = 0
  /// Records of recipients and audiences that delete.
  public var tombstones: Int64 = 0
  /// Records written to other homes: a forwarded record of n recipients counts n.
  public var forwards: Int64 = 0
  /// Facts that were not remembered because there were as many as the partition may hold.
  public var factsRefused: Int64 = 0
  /// Fan-outs to an audience that were begun.
  public var fanOuts: Int64 = 0
  /// Events for an audience that nobody follows: decided, and nobody is told.
  public var withoutFollowers: Int64 = 0
  /// Events for an audience that were taken in before: decided, and not fanned out again.
  public var repeatedFanOuts: Int64 = 0
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
    // In place: the counters of a channel are many, and one of them changes.
    _modify {
      switch channel {
      case .email: yield &email
      case .inapp: yield &inapp
      }
    }
  }

  /// Counts an arrival that was taken on, and what became of it; nil counts nothing more.
  @inline(__always)
  mutating func accept(_ outcome: ChannelOutcome?, on channel: Channel) {
    switch channel {
    case .email: email.accept(outcome)
    case .inapp: inapp.accept(outcome)
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
    sum.consumed += right.consumed
    sum.decided += right.decided
    sum.forwarded += right.forwarded
    sum.rejected += right.rejected
    sum.tombstones += right.tombstones
    sum.forwards += right.forwards
    sum.factsRefused += right.factsRefused
    sum.fanOuts += right.fanOuts
    sum.withoutFollowers += right.withoutFollowers
    sum.repeatedFanOuts += right.repeatedFanOuts
    sum.email = left.email + right.email
    sum.inapp = left.inapp + right.inapp
    return sum
  }

  /// Calls `body` with each field that is of no channel, in the order in which the state's header holds them: another
  /// one comes at the end.
  @inline(__always)
  mutating func forEachCodedField(_ body: (inout Int64) -> Void) {
    body(&consumed)
    body(&decided)
    body(&forwarded)
    body(&rejected)
    body(&tombstones)
    body(&forwards)
    body(&factsRefused)
    body(&fanOuts)
    body(&withoutFollowers)
    body(&repeatedFanOuts)
  }

  /// How many there are.
  static let codedFieldCount: Int = {
    var counters = Counters()
    var count = 0
    counters.forEachCodedField { _ in count += 1 }
    return count
  }()
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
  /// Put into a digest because they came too late to be delivered at once. Not part of the law: they are open, and then
  /// have another outcome.
  public var caughtUp: Int64 = 0

  /// All at zero.
  public init() {}

  fileprivate mutating func accept(_ outcome: ChannelOutcome?) {
    accepted += 1
    switch outcome {
    case .open: open += 1
    case .delivered: delivered += 1
    case .suppressed(let reason): suppressed[reason] += 1
    case .expired: expired += 1
    case .retracted: retracted += 1
    case .collapsed: collapsed += 1
    case nil: break
    }
  }

  /// What the law leaves over.
  public var difference: Int64 {
    accepted - delivered - suppressed.total - expired - retracted - collapsed - open
  }

  /// As those of `Counters`.
  @inline(__always)
  mutating func forEachCodedField(_ body: (inout Int64) -> Void) {
    body(&accepted)
    body(&delivered)
    body(&suppressed.duplicate)
    body(&suppressed.optedOut)
    body(&suppressed.noAddress)
    body(&expired)
    body(&retracted)
    body(&collapsed)
    body(&open)
    body(&suppressed.muted)
    body(&suppressed.ownAction)
    body(&suppressed.unsubscribed)
    body(&suppressed.complained)
    body(&suppressed.bounced)
    body(&suppressed.seen)
    body(&caughtUp)
  }

  /// How many there are.
  static let codedFieldCount: Int = {
    var counters = ChannelCounters()
    var count = 0
    counters.forEachCodedField { _ in count += 1 }
    return count
  }()

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
    sum.caughtUp += right.caughtUp
    return sum
  }
}

/// Suppressed notifications by reason.
public struct SuppressionCounters: Equatable, Sendable {
  var duplicate: Int64 = 0
  var optedOut: Int64 = 0
  var noAddress: Int64 = 0
  var muted: Int64 = 0
  var ownAction: Int64 = 0
  var unsubscribed: Int64 = 0
  var complained: Int64 = 0
  var bounced: Int64 = 0
  var seen: Int64 = 0

  /// All at zero.
  public init() {}

  /// The count of a reason.
  public subscript(reason: SuppressionReason) -> Int64 {
    get {
      switch reason {
      case .duplicate: duplicate
      case .optedOut: optedOut
      case .noAddress: noAddress
      case .muted: muted
      case .ownAction: ownAction
      case .unsubscribed: unsubscribed
      case .complained: complained
      case .bounced: bounced
      case .seen: seen
      }
    }
    set {
      switch reason {
      case .duplicate: duplicate = newValue
      case .optedOut: optedOut = newValue
      case .noAddress: noAddress = newValue
      case .muted: muted = newValue
      case .ownAction: ownAction = newValue
      case .unsubscribed: unsubscribed = newValue
      case .complained: complained = newValue
      case .bounced: bounced = newValue
      case .seen: seen = newValue
      }
    }
  }

  /// All reasons together.
  public var total: Int64 {
    duplicate + optedOut + noAddress + muted + ownAction + unsubscribed + complained + bounced + seen
  }
}
