import Contract
import Foundation
import Testing

@Suite struct DecisionTests {
  private static var head: DecisionHead { DecisionHead(partition: 3, number: 17, timeMilliseconds: 1_000) }

  private static func arrival(isDuplicate: Bool = false, channels: ChannelValues<ChannelOutcome>)
    -> ArrivalDecision
  {
    ArrivalDecision(
      tenant: ByteView("acme"), recipient: ByteView("u1"), source: ByteView("/sh\"op"), event: ByteView("e1"),
      type: ByteView("order.paid"), category: ByteView("orders"), notification: Hash128(high: 0, low: 9),
      topic: ByteView("tidings.events"), offset: 5, catalog: 0xFF, isDuplicate: isDuplicate,
      channels: channels)
  }

  private func parse(_ buffer: borrowing OutputBuffer) throws -> [[String: Any]] {
    let value = try JSONSerialization.jsonObject(with: Data(buffer.view.buffer))
    return try #require(value as? [[String: Any]])
  }

  private func hex(_ low: UInt64) -> String { Hash128(high: 0, low: low).hex }

  @Test("the decisions of a commit are one JSON array of CloudEvents")
  func array() throws {
    var buffer = OutputBuffer()
    let members = [Hash128(high: 0, low: 1), Hash128(high: 0, low: 2)]
    let expired = [Hash128(high: 0, low: 3)]
    buffer.append(
      arrival: Self.arrival(
        channels: ChannelValues(
          email: .open(window: Hash128(high: 0, low: 7), untilMilliseconds: 6_000),
          inapp: .delivered(delivery: Hash128(high: 0, low: 8)))), head: Self.head)
    members.withUnsafeBufferPointer { members in
      expired.withUnsafeBufferPointer { expired in
        buffer.append(
          closure: ClosureDecision(
            tenant: ByteView("acme"), recipient: ByteView("u1"), channel: .email,
            window: Hash128(high: 0, low: 7),
            delivery: Hash128(high: 0, low: 7), members: members, expired: expired),
          head: DecisionHead(partition: 3, number: 18, timeMilliseconds: 6_000))
      }
    }
    buffer.endDecisions()
    let decisions = try parse(buffer)
    try #require(decisions.count == 2)
    #expect(decisions.map { $0["id"] as? String } == ["3-17", "3-18"])
    #expect(decisions.allSatisfy { $0["type"] as? String == "tidings.decision.v1" })
    #expect(
      decisions.allSatisfy { $0["specversion"] as? String == "1.0" && $0["source"] as? String == "tidings" })
    #expect(decisions[0]["time"] as? String == "1970-01-01T00:00:01.000Z")
    let arrival = try #require(decisions[0]["data"] as? [String: Any])
    #expect(arrival["source"] as? String == "/sh\"op")
    #expect(arrival["notification"] as? String == hex(9))
    #expect(arrival["catalog"] as? String == "00000000000000ff")
    #expect(arrival["duplicate"] == nil)
    #expect((arrival["at"] as? [String: Any])?["offset"] as? Int == 5)
    let channels = try #require(arrival["channels"] as? [String: [String: String]])
    #expect(
      channels == [
        "email": ["outcome": "open", "window": hex(7), "until": "1970-01-01T00:00:06.000Z"],
        "inapp": ["outcome": "delivered", "delivery": hex(8)],
      ])
    let closure = try #require(decisions[1]["data"] as? [String: Any])
    #expect(closure["outcome"] as? String == "delivered")
    #expect(closure["delivery"] as? String == hex(7))
    #expect(closure["events"] as? Int == 2)
    #expect(closure["members"] as? [String] == [hex(1), hex(2)])
    #expect(closure["expired"] as? [String] == [hex(3)])
  }

  @Test("every outcome has its word, and a duplicate says that it is one")
  func outcomes() throws {
    let outcomes: [(ChannelOutcome, [String: String])] =
      SuppressionReason.allCases.map {
        (.suppressed($0), ["outcome": "suppressed", "reason": $0.literal.description])
      } + [
        (.expired, ["outcome": "expired"]), (.retracted, ["outcome": "retracted"]),
        (.collapsed, ["outcome": "collapsed"]),
      ]
    for (outcome, expected) in outcomes {
      var buffer = OutputBuffer()
      let arrival = Self.arrival(isDuplicate: true, channels: ChannelValues(inapp: outcome))
      buffer.append(arrival: arrival, head: Self.head)
      buffer.endDecisions()
      let data = try #require(try parse(buffer).first?["data"] as? [String: Any])
      #expect(data["channels"] as? [String: [String: String]] == ["inapp": expected])
      #expect(data["duplicate"] as? Bool == true)
    }
  }

  @Test("a window whose members have all expired closes without a delivery")
  func expired() throws {
    var buffer = OutputBuffer()
    let hashes = [Hash128(high: 0, low: 3)]
    hashes.withUnsafeBufferPointer { expired in
      buffer.append(
        closure: ClosureDecision(
          tenant: ByteView("default"), recipient: ByteView("u1"), channel: .inapp,
          window: Hash128(high: 0, low: 7),
          delivery: nil, members: UnsafeBufferPointer(start: nil, count: 0), expired: expired),
        head: Self.head)
    }
    buffer.endDecisions()
    let data = try #require(try parse(buffer).first?["data"] as? [String: Any])
    #expect(data["outcome"] as? String == "expired")
    #expect(data["delivery"] == nil)
    #expect(data["members"] as? [String] == [])
  }

  @Test("a window whose members are suppressed says why, whether others had expired or not")
  func suppressed() throws {
    let none = UnsafeBufferPointer<Hash128>(start: nil, count: 0)
    let hashes = [Hash128(high: 0, low: 3), Hash128(high: 0, low: 4)]
    var buffer = OutputBuffer()
    hashes.withUnsafeBufferPointer { all in
      for expired in [none, UnsafeBufferPointer(rebasing: all[1...])] {
        buffer.append(
          closure: ClosureDecision(
            tenant: ByteView("default"), recipient: ByteView("u1"), channel: .email,
            window: Hash128(high: 0, low: 7), delivery: nil, members: none, expired: expired,
            suppressed: UnsafeBufferPointer(rebasing: all[..<1]), because: .noAddress), head: Self.head)
      }
    }
    buffer.endDecisions()
    let left: [[String]?] = [nil, [hex(4)]]
    for (decision, expired) in zip(try parse(buffer), left) {
      let data = try #require(decision["data"] as? [String: Any])
      #expect(data["outcome"] as? String == "suppressed" && data["reason"] as? String == "noAddress")
      #expect(data["events"] as? Int == 0 && data["members"] as? [String] == [])
      #expect(data["suppressed"] as? [String] == [hex(3)] && data["expired"] as? [String] == expired)
    }
  }

  @Test("a commit without decisions has no record")
  func none() {
    var buffer = OutputBuffer()
    buffer.endDecisions()
    #expect(buffer.view.isEmpty)
  }

  @Test("outcomes are kept by channel")
  func byChannel() {
    var outcomes = ChannelValues<ChannelOutcome>()
    outcomes[.email] = .expired
    #expect(outcomes == ChannelValues(email: .expired))
    outcomes[.inapp] = .collapsed
    #expect(outcomes[.inapp] == .collapsed && outcomes[.email] == .expired)
  }
}
