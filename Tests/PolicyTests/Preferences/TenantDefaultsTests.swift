import Contract
import MarkedYAML
import Policy
import Testing

@Suite("A tenant's defaults in the catalog")
struct TenantDefaultsTests {
  private static let types = "types: { a: { title: x, category: cards } }\n"

  private func catalog(_ tenants: String) throws -> Catalog {
    try .parse(yaml: "tenants:\n\(tenants)" + Self.types, file: "c.yaml")
  }

  private func problems(_ tenants: String) -> [String] {
    do throws(YAMLProblems) {
      _ = try Catalog.parse(yaml: "tenants:\n\(tenants)" + Self.types, file: "c.yaml")
      return []
    } catch {
      return error.problems.map(\.description)
    }
  }

  @Test("what is written is what a recipient without a record gets, of that tenant alone")
  func read() throws {
    let catalog = try catalog(
      """
        acme:
          locale: fr
          timeZone: Europe/Paris
          preferences: { cards: { email: daily, "*": on }, "*": { inapp: off } }
          quietHours: { from: "22:00", until: "07:00" }

      """)
    #expect("other".withByteView { catalog.defaults(ofTenant: $0) } == nil)
    #expect("default".withByteView { catalog.defaults(ofTenant: $0) } == nil)
    let form = try #require("acme".withByteView { catalog.defaults(ofTenant: $0) })
    let view = RecipientProfileView(form)
    #expect(view.email.isEmpty && view.locale.string == "fr" && view.timeZone.string == "Europe/Paris")
    #expect(view.quietHours?.intervals.count == 1)
    for (category, channel, setting) in [
      ("cards", Channel.email, Preference.Setting.daily), ("cards", .inapp, .on), ("news", .inapp, .off),
    ] {
      #expect(category.withByteView { view.wish(for: $0, on: channel) }?.setting == setting)
    }
    #expect("news".withByteView { view.wish(for: $0, on: .email) } == nil)
  }

  @Test("a catalog's version tells defaults apart, not their order; without any it stays what it is")
  func version() throws {
    let one = try catalog("  acme: { preferences: { cards: { email: off, inapp: on } } }\n")
    let other = try catalog("  acme: { preferences: { cards: { inapp: on, email: off } } }\n")
    let third = try catalog("  acme: { preferences: { cards: { inapp: off, email: on } } }\n")
    let plain = try Catalog.parse(yaml: Self.types, file: "c.yaml")
    #expect(one.version == other.version && one.version != third.version && one.version != plain.version)
  }

  @Test(
    "what is wrong is answered with its place",
    arguments: [
      ("  acme:\n", "c.yaml:2:8: tenants.acme: says nothing; remove the tenant, or give one of "),
      (
        "  a/b: { locale: de }\n",
        "c.yaml:2:3: tenants[\"a/b\"]: holds \"/\", which no tenant's name may hold"
      ),
      (
        "  acme: { timezone: UTC }\n",
        #"c.yaml:2:11: tenants.acme.timezone: is not a known key (did you mean "timeZone"?)"#
      ),
      (
        "  acme: { timeZone: Europe/Berln }\n",
        #"c.yaml:2:21: tenants.acme.timeZone: is "Europe/Berln", which is no time zone of the IANA database of "#
          + #"this system (did you mean "Europe/Berlin"?)"#
      ),
      ("  acme: { locale: \"\" }\n", "c.yaml:2:19: tenants.acme.locale: must have 1 to 320 bytes, but has 0"),
      ("  acme: { preferences: {} }\n", "c.yaml:2:24: tenants.acme.preferences: is empty; remove the key"),
      (
        "  acme: { preferences: { cards: {} } }\n",
        "c.yaml:2:33: tenants.acme.preferences.cards: names no channel; give at least one of email, inapp, *"
      ),
      (
        "  acme: { preferences: { cards: { mail: off } } }\n",
        #"c.yaml:2:35: tenants.acme.preferences.cards.mail: is not a known key (did you mean "email"?)"#
      ),
      (
        "  acme: { preferences: { cards: { email: dayly } } }\n",
        "c.yaml:2:42: tenants.acme.preferences.cards.email: must be off or on or instant or hourly or daily or weekly, "
      ),
      (
        "  acme: { preferences: { cards: off } }\n",
        "c.yaml:2:33: tenants.acme.preferences.cards: must be a mapping"
      ),
      (
        "  acme: { quietHours: { from: \"22:00\", until: \"22:00\" } }\n",
        "c.yaml:2:47: tenants.acme.quietHours.until: is the time with which the interval begins"
      ),
    ])
  func problem(tenants: String, message: String) {
    let found = problems(tenants)
    #expect(found.count == 1 && found.first?.hasPrefix(message) == true, "\(found)")
  }

  @Test("an empty section, and one in two files, are problems")
  func section() {
    #expect(problems("").first?.contains("tenants: lists no tenant; remove the key, or list one") == true)
  }

  @Test("preferences for a category of no type are a warning, since events may name it themselves")
  func unknownCategory() throws {
    let catalog = try catalog("  acme: { preferences: { card: { email: off }, \"*\": { inapp: on } } }\n")
    #expect(
      catalog.warnings.map(\.description) == [
        "c.yaml:2:26: tenants.acme.preferences.card: is the category of no type: it holds only for events that name it "
          + #"themselves (did you mean "cards"?)"#
      ])
  }
}
