import Contract
import MarkedYAML
import Testing

@testable import Policy

/// The tables of docs/recipients.md, cell by cell.
@Suite("What goes before what")
struct PrecedenceTests {
  /// One cell: what is said, of which event and channel, and what becomes of it.
  struct Cell: Sendable, CustomTestStringConvertible {
    var said: [String]
    var isCritical: Bool
    var isMandatory: Bool
    var expected: String

    var testDescription: String {
      "\(said), critical: \(isCritical), mandatory: \(isMandatory): \(expected)"
    }
  }

  static let cells: [Cell] = {
    let head = "| what is said | normal | critical | mandatory | mandatory, critical |"
    guard let table = try? DocumentedTable(head, in: "recipients.md", atLeast: 55) else { return [] }
    return table.rows.flatMap { row in
      row.dropFirst().enumerated().map { column, expected in
        Cell(
          said: DocumentedTable.codes(row[0]), isCritical: column % 2 == 1, isMandatory: column > 1,
          expected: expected)
      }
    }
  }()

  @Test("the page has the cells")
  func count() { #expect(Self.cells.count >= 4 * 55) }

  @Test("a cell of the table", arguments: cells)
  func cell(_ cell: Cell) throws {
    var recipient = RecipientProfile(email: "ada@example.org")
    var tenant = RecipientProfile()
    var (isOwnAction, ownAction, choices) = (false, "skip", "")
    var engagement = EngagementMarks()
    for said in cell.said {
      let words = said.components(separatedBy: ": ")
      switch (words[0], words.last ?? "") {
      case ("recipient", "optOut"): recipient.optOuts = [OptOut(category: "commits", channel: .email)]
      case ("tenant", "optOut"): tenant.optOuts = [OptOut(category: "commits", channel: .email)]
      case ("recipient", let name): recipient.preferences = [try Self.preference(name)]
      case ("tenant", let name): tenant.preferences = [try Self.preference(name)]
      case ("muted", _): recipient.mutes = [Mute(subject: "board/42", until: 1_001)]
      case ("mute over", _): recipient.mutes = [Mute(subject: "board/42", until: 1_000)]
      case ("no address", _): recipient.email = nil
      case ("actor", _): isOwnAction = true
      case ("ownAction", let rule): ownAction = rule
      case ("unsubscribed", _): engagement.isUnsubscribed = true
      case ("complained", _): engagement.hasComplained = true
      case ("bounced", _): engagement.bounced = Self.hash("ada@example.org")
      case ("other address bounced", _): engagement.bounced = Self.hash("ada@example.com")
      case ("seen", _): engagement.isSeen = true
      case ("skipIfSeen", _): choices += ", skipIfSeen: true"
      case ("choices", let list): choices += ", choices: \(list)"
      default: Issue.record("the page says \(said)")
      }
    }
    let catalog = try Catalog.parse(
      yaml: """
        types:
          pushed:
            category: commits
            title: x
            ownAction: \(ownAction)
            channels:
              email: { policy: digest, window: 5m, mandatory: \(cell.isMandatory)\(choices) }
        """, file: "catalog.yaml")
    let rules = catalog.rules(at: 0)
    let rule = try #require(rules.channels[.email])
    let resolution = resolve(recipient, tenant) { recipient, tenant in
      "board/42".withByteView { subject in
        Candidate(
          rule: rule, category: catalog.text(rules.category), subject: subject, isCritical: cell.isCritical,
          isOwnAction: isOwnAction && rules.ownAction == .skip, engagement: engagement, instant: 1_000
        ).resolved(recipient, tenant: tenant)
      }
    }
    #expect(Self.name(resolution.action, catalogs: rule.policy) == cell.expected)
    // What decided is named exactly where it made the difference.
    let made = ![
      "catalog", "ownAction", "muted", "noAddress", "unsubscribed", "complained", "bounced", "seen",
    ].contains(cell.expected)
    #expect((resolution.preference != nil) == made, "\(resolution)")
    if let preference = resolution.preference {
      let hasOwn = !recipient.preferences.isEmpty || !recipient.optOuts.isEmpty
      #expect(preference.level == (hasOwn ? .recipient : .tenant))
      #expect(preference.namesCategory && preference.namesChannel)
    }
  }

  private static func hash(_ address: String) -> UInt64 {
    address.withByteView { EngagementMarks.hash(ofAddress: $0) }
  }

  private static func preference(_ name: String) throws -> Preference {
    Preference(category: "commits", channel: .email, try #require(Preference.Setting(name: name)))
  }

  private static func name(_ action: Resolution.Action, catalogs: ChannelPolicy) -> String {
    switch action {
    case .suppress(let reason): reason.literal.description
    case .deliver(let policy): policy == catalogs ? "catalog" : policy.ground.literal.description
    }
  }

  private func resolve<Result>(
    _ recipient: RecipientProfile, _ tenant: RecipientProfile,
    _ body: (RecipientProfileView, RecipientProfileView) -> Result
  ) -> Result {
    var first = OutputBuffer()
    var second = OutputBuffer()
    recipient.encode(into: &first)
    tenant.encode(into: &second)
    return body(RecipientProfileView(first.view), RecipientProfileView(second.view))
  }

  // MARK: - The other tables

  @Test("of several entries, the one that the page says decides")
  func entries() throws {
    let head =
      "| `preferences` | commits on email | commits on inapp | builds on email | builds on inapp |"
    let table = try DocumentedTable(head, in: "recipients.md", atLeast: 8)
    var decoder = try RecipientDecoder()
    for row in table.rows {
      let json = "{\"preferences\":\(row[0].trimmingCharacters(in: ["`"]))}"
      let record = try #require(
        try json.withByteView { view throws(Rejection) in try decoder.decode(view) })
      var actual: [String] = []
      for category in ["commits", "builds"] {
        for channel in Channel.allCases {
          let wish = resolve(RecipientProfile(record), RecipientProfile()) { view, _ in
            category.withByteView { view.wish(for: $0, on: channel) }
          }
          actual.append(wish?.setting.literal.description ?? "")
        }
      }
      #expect(actual == Array(row.dropFirst()), "\(json)")
    }
  }

  @Test("a choice becomes what the page says")
  func choices() throws {
    let table = try DocumentedTable(
      "| `choices` | instant | hourly | daily | weekly |", in: "recipients.md", atLeast: 6)
    for row in table.rows {
      let document = try YAMLDocument(yaml: row[0].trimmingCharacters(in: ["`"]), file: "recipients.md")
      let choices = try #require(document.root.flatMap(CadenceChoices.init(reading:)), "\(document.problems)")
      #expect(
        Cadence.allCases.map { choices.nearest(to: $0)?.name ?? "" } == Array(row.dropFirst()), "\(row)")
    }
  }

  @Test("an opt-out goes before every preference of the record, however much that names")
  func optOut() {
    for optOut in [OptOut(category: nil, channel: nil), OptOut(category: "commits", channel: .email)] {
      let profile = RecipientProfile(
        optOuts: [optOut], preferences: [Preference(category: "commits", channel: .email, .on)])
      let wish = resolve(profile, RecipientProfile()) { view, _ in
        "commits".withByteView { view.wish(for: $0, on: .email) }
      }
      #expect(wish?.setting == .off && wish?.isOptOut == true)
    }
  }

  @Test("a chosen cadence keeps what shares a window and how many items it has")
  func cadence() throws {
    let catalog = try Catalog.parse(
      yaml: """
        types:
          pushed:
            title: x
            channels:
              email: { policy: schedule, at: "17:30", items: 7, group: all }
              inapp: { policy: immediate }
        """, file: "catalog.yaml")
    let channels = catalog.rules(at: 0).channels
    guard case .digest(let email)? = channels[.email]?.policy.at(.daily),
      case .digest(let inapp)? = channels[.inapp]?.policy.at(.weekly)
    else {
      Issue.record("no digest")
      return
    }
    #expect(email.window == .cadence(.daily) && email.itemLimit == 7)
    #expect(email.group.map { catalog.text($0).string } == "all")
    #expect(inapp == DigestRule(window: .cadence(.weekly), itemLimit: 10, group: nil))
    #expect(channels[.email]?.policy.at(.instant) == .immediate)
  }
}
