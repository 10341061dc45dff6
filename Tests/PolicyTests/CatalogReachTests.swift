import Policy
import Testing

@Suite("What a catalog says in vain")
struct CatalogReachTests {
  private func warnings(_ yaml: String) throws -> [String] {
    try Catalog.parse(yaml: yaml, file: "c.yaml").warnings.map(\.description)
  }

  @Test("a title for digests is never in vain: quiet hours and recipients make digests of what is immediate")
  func digestTitle() throws {
    #expect(try warnings("types:\n  a:\n    title: x\n    digestTitle: y\n").isEmpty)
    #expect(try warnings("defaults: { digestTitle: y }").isEmpty)
    #expect(
      try warnings("unknownTypes: reject\ndefaults: { digestTitle: y }\ntypes: { a: { title: x } }\n").map {
        $0.hasPrefix("c.yaml:2:26: defaults.digestTitle: is never used")
      } == [true])
  }

  @Test("a tenant's preference for a category of no type is a warning only where it seems to be a slip")
  func tenantCategory() throws {
    let types = "types: { a: { title: x, category: commits } }\n"
    #expect(
      try warnings(types + "tenants: { acme: { preferences: { comits: { email: off } } } }") == [
        "c.yaml:2:35: tenants.acme.preferences.comits: is the category of no type: it holds only for events that "
          + "name it themselves (did you mean \"commits\"?)"
      ])
    #expect(try warnings(types + "tenants: { acme: { preferences: { marketing: { email: off } } } }").isEmpty)
  }

  @Test("a catalog at its bounds is read in a moment, whatever its tenants prefer")
  func largeCatalog() throws {
    var yaml = "types:\n"
    for number in 0..<4_000 { yaml += "  t\(number): { title: x, category: category-\(number) }\n" }
    yaml += "tenants:\n"
    for number in 0..<4_000 {
      yaml +=
        "  a\(number): { preferences: { nobodys: { email: off }, category-\(number): { email: off } } }\n"
    }
    let started = ContinuousClock.now
    #expect(try warnings(yaml).isEmpty)
    #expect(ContinuousClock.now - started < .seconds(10))
  }

  @Test("defaults that no listed type falls back to are a warning where other types are rejected")
  func defaults() throws {
    let defaults = "defaults: { title: t, category: c, channels: { email: { policy: immediate } } }\n"
    let own = "types: { a: { title: x, channels: { inapp: { policy: immediate } } } }"
    #expect(try warnings(defaults + own).isEmpty)
    #expect(
      try warnings("unknownTypes: reject\n" + defaults + own) == [
        "c.yaml:2:20: defaults.title: is never used: types have templates of their own, and `unknownTypes` is reject",
        "c.yaml:2:46: defaults.channels: is never used: every type has its own, and `unknownTypes` is reject",
      ])
    #expect(
      try warnings("unknownTypes: reject\ndefaults: { category: c }\n" + own + "\n").isEmpty)
  }

  @Test("the example at the root of the repository says nothing in vain")
  func example() throws {
    #expect(try Catalog.load(path: CatalogTests.repositoryFile("catalog.yaml")).warnings.isEmpty)
    #expect(try Catalog.demo().warnings.isEmpty)
  }
}
