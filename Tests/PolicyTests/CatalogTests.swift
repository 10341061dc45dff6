import Contract
import Foundation
import MarkedYAML
import Policy
import Testing

@Suite("The catalog")
struct CatalogTests {
  private let yaml = """
    defaults:
      category: misc
      channels: { email: { policy: immediate } }
    types:
      git.commit.pushed:
        category: commits
        title: "{{actor}}: {{data.title}}"
        link: "{{data.url}}"
        digestTitle: "{{totals.events}} commits"
        priority: critical
        channels:
          inapp: { policy: immediate }
          email: { policy: digest, window: 5m, items: 20, group: code, mandatory: true }
      card.moved:
        title: "{{data.card}} moved"
    """

  private func rules(_ catalog: Catalog, _ type: String) throws -> TypeRules {
    let index = try #require(type.withByteView { catalog.typeIndex(named: $0) })
    return catalog.rules(at: index)
  }

  @Test("a listed type has its category, templates, priority and channels")
  func listedType() throws {
    let catalog = try Catalog.parse(yaml: yaml, file: "c.yaml")
    let rules = try rules(catalog, "git.commit.pushed")
    #expect(catalog.text(rules.category).string == "commits")
    #expect(catalog.text(rules.title).string == "{{actor}}: {{data.title}}")
    #expect(rules.link.map { catalog.text($0).string } == "{{data.url}}")
    #expect(rules.digestTitle.map { catalog.text($0).string } == "{{totals.events}} commits")
    #expect(rules.priority == .critical)
    #expect(rules.channels.count == 2)
    let inapp = try #require(rules.channels[.inapp])
    #expect(inapp.policy == .immediate && !inapp.mandatory && inapp.channel == .inapp)
    let email = try #require(rules.channels[.email])
    guard case .digest(let digest) = email.policy else {
      Issue.record("the mail is not a digest")
      return
    }
    #expect(email.mandatory && email.channel == .email)
    #expect(digest.window == .length(milliseconds: 300_000))
    #expect(digest.itemLimit == 20)
    #expect(digest.group.map { catalog.text($0).string } == "code")
  }

  @Test("texts that a String takes for the same keep their own bytes each")
  func spellings() throws {
    // In one scalar and in two.
    let (composed, decomposed) = ("caf\u{E9}", "cafe\u{301}")
    let catalog = try Catalog.parse(
      yaml: """
        types:
          \(composed): { category: \(decomposed), title: x }
          a: { title: \(composed), channels: { email: { policy: digest, window: 1h, key: /\(decomposed) } } }
          b: { title: y, channels: { email: { policy: digest, window: 1h, key: /\(composed) } } }
        """, file: "c.yaml")
    let rules = try rules(catalog, composed)
    #expect(catalog.text(rules.category).string.unicodeScalars.elementsEqual(decomposed.unicodeScalars))
    #expect(decomposed.withByteView { catalog.typeIndex(named: $0) } == nil)
    let title = try catalog.text(self.rules(catalog, "a").title).string
    #expect(title.unicodeScalars.elementsEqual(composed.unicodeScalars))
    for (type, key) in [("a", decomposed), ("b", composed)] {
      guard case .digest(let digest)? = try self.rules(catalog, type).channels[.email]?.policy else {
        Issue.record("\(type) makes no digests")
        continue
      }
      let name = try #require(catalog.options(digest.options).key.first?.name)
      #expect(name.unicodeScalars.elementsEqual("/\(key)".unicodeScalars))
    }
  }

  @Test("what a type leaves out comes from the defaults, except the templates")
  func fallbacks() throws {
    let catalog = try Catalog.parse(yaml: yaml, file: "c.yaml")
    let rules = try rules(catalog, "card.moved")
    #expect(catalog.text(rules.category).string == "misc")
    #expect(rules.priority == .normal)
    #expect(rules.link == nil)
    #expect(rules.channels.count == 1)
    #expect(rules.channels[.email]?.policy == .immediate)
    #expect(rules.channels[.inapp] == nil)
  }

  @Test("a type that is not listed is not found, and the defaults say what happens with it")
  func unknownType() throws {
    let catalog = try Catalog.parse(yaml: yaml, file: "c.yaml")
    for name in ["", "git.commit", "git.commit.pushed ", "GIT.COMMIT.PUSHED", "card.move"] {
      #expect(name.withByteView { catalog.typeIndex(named: $0) } == nil, "\(name)")
    }
    #expect(catalog.unknownTypes == .deliver)
    #expect(catalog.text(catalog.defaultRules.title).string == "{{type}}")
    let strict = try Catalog.parse(
      yaml: "unknownTypes: reject\ntypes: { a: { title: x } }", file: "c.yaml")
    #expect(strict.unknownTypes == .reject)
  }

  @Test("every type of a large catalog is found under its name and no other")
  func largeCatalog() throws {
    let names = (0..<5_000).map { "team\($0 % 17).thing-\($0).happened" }
    let types = names.map { "  \($0): { title: \"\($0)\" }" }.joined(separator: "\n")
    let catalog = try Catalog.parse(yaml: "types:\n" + types, file: "c.yaml")
    #expect(catalog.typeCount == 5_000)
    for name in names {
      let index = try #require(name.withByteView { catalog.typeIndex(named: $0) })
      #expect(catalog.typeName(at: index).string == name)
      #expect(catalog.text(catalog.rules(at: index).title).string == name)
    }
    #expect("team0.thing-1.happened".withByteView { catalog.typeIndex(named: $0) } == nil)
  }

  @Test("the version depends on the content, not on order, comments or spelling")
  func version() throws {
    let one = try Catalog.parse(
      yaml: """
        types:
          a: { title: A, channels: { email: { policy: digest, window: 1h } } }
          b: { title: B }
        """, file: "1.yaml")
    let other = try Catalog.parse(
      yaml: """
        unknownTypes: deliver   # as by default
        types:
          b:
            title: "B"
          a:
            channels:
              email: { window: 60m, items: 10, policy: digest, mandatory: false }
            title: 'A'
        """, file: "2.yaml")
    #expect(one.version == other.version)
    #expect(one.versionText.count == 16)
    #expect(UInt64(one.versionText, radix: 16) == one.version)
  }

  @Test(
    "every change of the content changes the version",
    arguments: [
      ("title: A", "title: AA"), ("window: 1h", "window: 2h"), ("items: 5", "items: 6"),
      ("group: g", "group: h"),
      ("mandatory: true", "mandatory: false"), ("priority: critical", "priority: normal"),
      ("category: c", "category: d"), ("  a:", "  aa:"), ("link: L", "digestTitle: L"), ("email:", "inapp:"),
      ("unknownTypes: reject", "unknownTypes: deliver"), ("category: standard", "category: normal"),
    ])
  func versionChanges(old: String, new: String) throws {
    let yaml = """
      unknownTypes: reject
      defaults: { category: standard }
      types:
        a:
          category: c
          title: A
          link: L
          priority: critical
          channels:
            email: { policy: digest, window: 1h, items: 5, group: g, mandatory: true }
      """
    let changed = yaml.replacingOccurrences(of: old, with: new)
    #expect(changed != yaml)
    let before = try Catalog.parse(yaml: yaml, file: "c.yaml").version
    #expect(try Catalog.parse(yaml: changed, file: "c.yaml").version != before)
  }

  @Test("without a catalog every type goes to the inbox at once")
  func builtInDefault() {
    let rules = Catalog.default.defaultRules
    #expect(Catalog.default.typeCount == 0)
    #expect("x".withByteView { Catalog.default.typeIndex(named: $0) } == nil)
    #expect(rules.channels.count == 1)
    #expect(rules.channels[.inapp]?.policy == .immediate)
  }

  @Test("the demo's catalog puts commits into the inbox at once and into a mail after a few seconds")
  func demo() throws {
    let catalog = try Catalog.demo()
    for rules in [try rules(catalog, "git.commit.pushed"), catalog.defaultRules] {
      #expect(rules.channels[.inapp]?.policy == .immediate)
      guard case .digest(let digest) = rules.channels[.email]?.policy,
        case .length(let milliseconds) = digest.window
      else {
        Issue.record("the mail is not a digest of a fixed window")
        continue
      }
      #expect((3_000...5_000).contains(milliseconds))
    }
  }

  @Test("the example at the root of the repository is a valid catalog")
  func example() throws {
    let catalog = try Catalog.load(path: Self.repositoryFile("catalog.yaml"))
    #expect(catalog.typeCount == 3)
  }

  @Test("who alone wrote a history is told of their commits, by the demo's catalog and by the example")
  func ownCommits() throws {
    for catalog in [try Catalog.demo(), try Catalog.load(path: Self.repositoryFile("catalog.yaml"))] {
      #expect(try rules(catalog, "git.commit.pushed").ownAction == .deliver)
    }
  }

  @Test("the examples of the documentation are valid catalogs")
  func documentation() throws {
    let page = try String(contentsOfFile: Self.repositoryFile("docs/catalog.md"), encoding: .utf8)
    let examples = page.split(separator: "```yaml\n").dropFirst().map { $0.prefix { $0 != "`" } }
    #expect(examples.count == 11)
    for example in examples {
      #expect(try Catalog.parse(yaml: String(example), file: "docs/catalog.md").typeCount > 0)
    }
  }

  @Test(
    "a channel by schedule is a digest whose window closes at its times",
    arguments: [
      ("cadence: hourly", "hourly"), ("cadence: daily", "every day at 09:00"),
      ("cadence: weekly", "mon at 09:00"), ("at: \"07:30\"", "every day at 07:30"),
      ("at: [\"17:30\", \"09:00\"], weekdays: [fri, mon]", "mon, fri at 09:00, 17:30"),
    ])
  func schedules(keys: String, schedule: String) throws {
    let catalog = try Catalog.parse(
      yaml: """
        types:
          a:
            title: x
            channels:
              inapp: { policy: schedule, \(keys) }
              email: { policy: schedule, \(keys), items: 3, group: g, mandatory: true }
        """, file: "c.yaml")
    let channels = try rules(catalog, "a").channels
    guard case .digest(let inapp) = channels[.inapp]?.policy, case .schedule(let first) = inapp.window,
      case .digest(let email) = channels[.email]?.policy, case .schedule(let second) = email.window
    else {
      Issue.record("a channel is not by schedule")
      return
    }
    #expect(first == second && catalog.schedule(first).description == schedule)
    #expect(inapp.itemLimit == DigestRule.defaultItems && inapp.group == nil)
    #expect(email.itemLimit == 3 && email.group.map { catalog.text($0).string } == "g")
    #expect(channels[.email]?.mandatory == true)
  }

  @Test("schedules that mean the same have one version, and others another")
  func scheduleVersions() throws {
    func version(_ keys: String) throws -> UInt64 {
      try Catalog.parse(
        yaml: "defaults: { channels: { email: { \(keys) } } }", file: "c.yaml"
      ).version
    }
    let daily = try version("policy: schedule, cadence: daily")
    #expect(try version("policy: schedule, at: [\"09:00\"]") == daily)
    #expect(
      try version("policy: schedule, at: \"09:00\", weekdays: [sun, sat, fri, thu, wed, tue, mon]") == daily)
    let others = [
      "policy: schedule, cadence: weekly", "policy: schedule, cadence: hourly",
      "policy: schedule, at: \"09:01\"", "policy: schedule, at: [\"09:00\", \"10:00\"]",
      "policy: schedule, cadence: daily, items: 9", "policy: schedule, cadence: daily, group: g",
      "policy: digest, window: 1d", "policy: immediate",
    ]
    #expect(Set(try others.map(version) + [daily]).count == others.count + 1)
  }

  @Test("rules are plain values: copying them counts no references")
  func plainRules() {
    #expect(_isPOD(TypeRules.self))
    #expect(MemoryLayout<TypeRules>.size <= 128)
  }

  static func repositoryFile(_ path: String) -> String {
    URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../../\(path)").standardizedFileURL
      .path
  }
}
