import Contract

/// The decisions about one recipient, as they were read.
struct AccountHistory {
  private struct Closure {
    var channel: Channel
    var window: Hash128
    var delivery: Hash128?
    var isSingly: Bool
    var members: Set<Hash128>
    var expired: Set<Hash128>
    var suppressed: Set<Hash128>
    var reason: String?
    var verdict: RecipientAccount.Verdict
  }

  /// The arrivals, with nothing but what their own decision says.
  private(set) var arrivals: [RecipientAccount.Notification] = []
  private var closures: [Closure] = []
  private var closureOf: [String: Int] = [:]
  /// By window and notification.
  private var withdrawals: [String: (withdrawal: Decision.Withdrawal, verdict: RecipientAccount.Verdict)] =
    [:]

  mutating func take(_ decision: Decision, at place: RecipientAccount.Place, in home: Int32) {
    let verdict = RecipientAccount.Verdict(
      decision: "\(home)-\(decision.number)", time: Instant(decision.time), at: place)
    switch decision.subject {
    case .arrival(let arrival): take(arrival, decision, verdict, in: home)
    case .closure(let closure):
      closureOf[closure.window.hex] = closures.count
      closures.append(
        Closure(
          channel: closure.channel, window: closure.window, delivery: closure.delivery,
          isSingly: closure.isSingly, members: Set(closure.members), expired: Set(closure.expired),
          suppressed: Set(closure.suppressed), reason: closure.reason, verdict: verdict))
    case .withdrawal(let withdrawal):
      withdrawals["\(withdrawal.window.hex) \(withdrawal.notification.hex)"] = (withdrawal, verdict)
    // No recipient has one.
    case .fanOut, .other: break
    }
  }

  private mutating func take(
    _ arrival: Decision.Arrival, _ decision: Decision, _ verdict: RecipientAccount.Verdict, in home: Int32
  ) {
    arrivals.append(
      RecipientAccount.Notification(
        id: arrival.notification.hex, source: decision.text("source") ?? "",
        event: decision.text("event") ?? "", type: decision.text("type") ?? "",
        category: decision.text("category"),
        arrival: RecipientAccount.Arrival(
          at: RecipientAccount.Place(topic: arrival.topic.string, partition: home, offset: arrival.offset)),
        verdict: verdict, catalog: decision.text("catalog") ?? "",
        isDuplicate: decision.data["duplicate"]?.bool ?? false,
        recipientRecord: decision.data["recipientRecord"]?.integer,
        channels: arrival.channels.map { channel, outcome in
          var account = RecipientAccount.ChannelAccount(channel, outcome)
          account.grounds = decision.data["channels"]?[channel.literal].flatMap {
            RecipientAccount.Grounds($0)
          }
          return account
        }))
  }

  /// Says what became of a notification that was put into a window, as far as the window's closure was read.
  func close(_ channel: inout RecipientAccount.ChannelAccount, of notification: String) {
    guard channel.outcome == "open", let window = channel.digest?.id else { return }
    if let (withdrawal, verdict) = withdrawals["\(window) \(notification)"] {
      let later = RecipientAccount.ChannelAccount(withdrawal.channel, withdrawal.outcome)
      channel.outcome = later.outcome
      channel.reason = later.reason
      channel.withdrawn = verdict
      channel.cause = withdrawal.cause
      return
    }
    guard let index = closureOf[window],
      let id = notification.withByteView({ Hash128(hex: $0) })
    else { return }
    let closure = closures[index]
    channel.digest?.closed = closure.verdict
    channel.digest?.members = closure.members.count
    if closure.expired.contains(id) {
      channel.outcome = "expired"
    } else if closure.suppressed.contains(id) {
      channel.outcome = "suppressed"
      channel.reason = closure.reason
      channel.withdrawn = closure.verdict
    } else if closure.isSingly, closure.members.contains(id) {
      channel.outcome = "delivered"
      channel.deliveryID = DeliveryID.single(id, channel: closure.channel).hex
    } else if closure.members.contains(id) {
      channel.outcome = "digest"
      channel.deliveryID = closure.delivery?.hex
    }
  }

  /// The digests with members whose arrivals were not read.
  func earlierDigests() -> [RecipientAccount.EarlierDigest] {
    var known: [String: Set<String>] = [:]
    for arrival in arrivals {
      for channel in arrival.channels {
        if let window = channel.digest?.id { known[window, default: []].insert(arrival.id) }
      }
    }
    return closures.compactMap { closure in
      let window = closure.window.hex
      let earlier = closure.members.union(closure.expired).union(closure.suppressed).filter {
        !(known[window]?.contains($0.hex) ?? false)
      }
      guard !earlier.isEmpty else { return nil }
      var digest = RecipientAccount.EarlierDigest(
        channel: closure.channel.name,
        digest: RecipientAccount.Digest(
          id: window, due: nil, closed: closure.verdict, members: closure.members.count),
        earlierMembers: earlier.count)
      if !closure.suppressed.isEmpty { digest.suppressionReason = closure.reason }
      if closure.isSingly {
        digest.isSingly = true
        digest.singleIDs = earlier.filter(closure.members.contains).map {
          DeliveryID.single($0, channel: closure.channel).hex
        }.sorted()
      }
      return digest
    }
  }
}

extension RecipientAccount.ChannelAccount {
  fileprivate init(_ channel: Channel, _ outcome: Decision.Outcome) {
    self.init(channel: channel.name, outcome: "")
    switch outcome {
    case .open(let window, let until):
      self.outcome = "open"
      digest = RecipientAccount.Digest(id: window.hex, due: until.map { Instant($0) })
    case .delivered(let delivery):
      self.outcome = "delivered"
      deliveryID = delivery.hex
    case .suppressed(let reason):
      self.outcome = "suppressed"
      self.reason = reason
    case .expired: self.outcome = "expired"
    case .retracted: self.outcome = "retracted"
    case .collapsed: self.outcome = "collapsed"
    case .other(let name): self.outcome = name
    }
  }
}

extension RecipientAccount {
  /// The deliveries by a channel that decisions name.
  func deliveryIDs(on channel: String) -> Set<String> {
    var ids = Set(notifications.flatMap(\.channels).filter { $0.channel == channel }.compactMap(\.deliveryID))
    for digest in earlierDigests where digest.channel == channel {
      if digest.isSingly {
        ids.formUnion(digest.singleIDs)
      } else if digest.digest.members ?? 0 > 0 {
        ids.insert(digest.digest.id)
      }
    }
    return ids
  }

  mutating func fill(_ deliveries: [String: Delivery], on channel: String) {
    for index in notifications.indices {
      for place in notifications[index].channels.indices
      where notifications[index].channels[place].channel == channel {
        guard let id = notifications[index].channels[place].deliveryID else { continue }
        notifications[index].channels[place].delivery = deliveries[id]
      }
    }
    for index in earlierDigests.indices where earlierDigests[index].channel == channel {
      earlierDigests[index].delivery = deliveries[earlierDigests[index].digest.id]
      earlierDigests[index].singles = earlierDigests[index].singleIDs.compactMap { deliveries[$0] }.sorted {
        $0.at.offset < $1.at.offset
      }
    }
  }
}
