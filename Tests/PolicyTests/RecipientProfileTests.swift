import Contract
import Policy
import Testing

@Suite("The compact form of a recipient")
struct RecipientProfileTests {
  private func withView<Result>(
    _ profile: RecipientProfile, _ body: (RecipientProfileView) throws -> Result
  ) rethrows -> Result {
    var buffer = OutputBuffer()
    profile.encode(into: &buffer)
    return try body(RecipientProfileView(buffer.view))
  }

  private func optsOut(_ profile: RecipientProfile, _ category: String, _ channel: Channel) -> Bool {
    withView(profile) { view in category.withByteView { view.optsOut(of: $0, channel) } }
  }

  @Test("address, locale and zone are read back")
  func fields() {
    let profile = RecipientProfile(email: "zoë@example.org", locale: "de", timeZone: "Europe/Berlin")
    withView(profile) { view in
      #expect(view.address(for: .email)?.string == "zoë@example.org")
      #expect(view.address(for: .inapp) == nil)
      #expect(view.locale.string == "de")
      #expect(view.timeZone.string == "Europe/Berlin")
    }
  }

  @Test("the profile of a recipient's record answers as the record does")
  func record() {
    let record = RecipientRecord(
      email: "a@example.org", locale: "fr", timeZone: "Europe/Paris",
      optOut: [OptOut(category: nil, channel: .inapp), OptOut(category: "builds", channel: .email)])
    let profile = RecipientProfile(record)
    #expect(
      profile
        == RecipientProfile(
          email: "a@example.org", locale: "fr", timeZone: "Europe/Paris", optOuts: record.optOut))
    for category in ["builds", "commits"] {
      for channel in Channel.allCases {
        #expect(optsOut(profile, category, channel) == record.optsOut(of: category, on: channel))
      }
    }
  }

  @Test("a recipient of whom nothing is known has no address and opted out of nothing")
  func nothing() {
    withView(RecipientProfile()) { view in
      #expect(view.address(for: .email) == nil)
      #expect(view.locale.isEmpty && view.timeZone.isEmpty)
    }
    #expect(!optsOut(RecipientProfile(), "commits", .email))
    #expect(RecipientProfileView(.empty).address(for: .email) == nil)
  }

  @Test("each combination of category and channel is opted out of exactly as it was said")
  func optOuts() {
    let categories: [String?] = [nil, "commits", "builds"]
    let channels: [Channel?] = [nil, .email, .inapp]
    for category in categories {
      for channel in channels {
        let profile = RecipientProfile(optOuts: [OptOut(category: category, channel: channel)])
        for asked in ["commits", "builds", "other", "commit", "commitss"] {
          for askedChannel in Channel.allCases {
            let expected = (category ?? asked) == asked && (channel ?? askedChannel) == askedChannel
            #expect(
              optsOut(profile, asked, askedChannel) == expected,
              "\(category ?? "*") x \(channel?.name ?? "*") asked for \(asked) x \(askedChannel.name)")
          }
        }
      }
    }
  }

  @Test("several opt-outs add up, also those of one category")
  func severalOptOuts() {
    let profile = RecipientProfile(optOuts: [
      OptOut(category: "commits", channel: .email), OptOut(category: "builds", channel: .inapp),
      OptOut(category: "commits", channel: .inapp),
    ])
    #expect(optsOut(profile, "commits", .email))
    #expect(optsOut(profile, "commits", .inapp))
    #expect(optsOut(profile, "builds", .inapp))
    #expect(!optsOut(profile, "builds", .email))
  }

  @Test("a long text is read back")
  func longText() {
    let address = String(repeating: "x", count: 70_000) + "@example.org"
    withView(RecipientProfile(email: address, optOuts: [OptOut(category: address, channel: .email)])) {
      view in
      #expect(view.address(for: .email)?.string == address)
      #expect(address.withByteView { view.optsOut(of: $0, .email) })
    }
  }

  @Test("bytes that are no profile are read within their bounds")
  func foreignBytes() {
    let seed = UInt64.random(in: 0 ... .max)
    print("seed \(seed)")
    var state = seed
    func next() -> UInt64 {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return state >> 33
    }
    for _ in 0..<20_000 {
      let bytes = (0..<Int(next() % 24)).map { _ in next() % 3 == 0 ? 0xFF : UInt8(truncatingIfNeeded: next())
      }
      bytes.withUnsafeBytes { buffer in
        let view = RecipientProfileView(ByteView(buffer))
        let total = view.email.count + view.locale.count + view.timeZone.count
        #expect(total <= bytes.count, "seed \(seed)")
        _ = "commits".withByteView { view.optsOut(of: $0, .email) }
      }
    }
  }
}
