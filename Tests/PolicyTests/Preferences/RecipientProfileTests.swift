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

  @Test("a mute holds for its subject alone, up to its end, and one without an end always")
  func mutes() {
    let profile = RecipientProfile(
      timeZone: "UTC", optOuts: [OptOut(category: "x", channel: nil)],
      mutes: [
        Mute(subject: "board/42", until: 1_000), Mute(subject: "thread"), Mute(subject: "board/7", until: -5),
      ])
    func mutes(_ subject: String, at instant: Int64) -> Bool {
      withView(profile) { view in subject.withByteView { view.mutes($0, at: instant) } }
    }
    #expect(mutes("board/42", at: 999) && !mutes("board/42", at: 1_000))
    #expect(mutes("thread", at: .max - 1) && mutes("thread", at: 0))
    #expect(!mutes("board/7", at: 0) && mutes("board/7", at: -6))
    #expect(!mutes("board", at: 0) && !mutes("", at: 0) && !mutes("board/421", at: 0))
    #expect(optsOut(profile, "x", .email))
  }

  @Test("quiet hours are read back beside mutes and wishes")
  func quietHours() throws {
    let (from, until) = (try #require(LocalTime("22:00")), try #require(LocalTime("07:00")))
    let night = try #require(QuietInterval(from: from, until: until))
    let sunday = try #require(QuietInterval(wholeDays: Weekdays([.sunday])))
    let hours = try #require(QuietHours([night, sunday]))
    let profile = RecipientProfile(
      email: "a@b", preferences: [Preference(category: nil, channel: nil, .weekly)], quietHours: hours,
      mutes: [Mute(subject: "s")])
    withView(profile) { view in
      #expect(view.quietHours == hours)
      #expect("s".withByteView { view.mutes($0, at: 0) })
      #expect("c".withByteView { view.wish(for: $0, on: .inapp) }?.setting == .weekly)
    }
    withView(RecipientProfile()) { #expect($0.quietHours == nil) }
    withView(RecipientProfile(quietHours: QuietHours.none)) { #expect($0.quietHours == QuietHours.none) }
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
        _ = "commits".withByteView { view.optsOut(of: $0, .email) || view.mutes($0, at: 0) }
        _ = view.quietHours
      }
    }
  }
}
