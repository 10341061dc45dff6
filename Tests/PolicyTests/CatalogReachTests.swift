import Policy
import Testing

@Suite("What a catalog says in vain")
struct CatalogReachTests {
  private func warnings(_ yaml: String) throws -> [String] {
    try Catalog.parse(yaml: yaml, file: "c.yaml").warnings.map(\.description)
  }

  @Test("a title for digests where nothing makes digests is a warning with its place")
  func digestTitle() throws {
    #expect(
      try warnings("types:\n  a:\n    title: x\n    digestTitle: y\n") == [
        "c.yaml:4:18: types.a.digestTitle: is never used: none of the type's channels makes digests"
      ])
    let digest = "defaults: { channels: { email: { policy: digest, window: 1h } } }\n"
    #expect(try warnings(digest + "types: { a: { title: x, digestTitle: y } }").isEmpty)
    #expect(
      try warnings("defaults: { digestTitle: y }").map { $0.hasPrefix("c.yaml:1:26: defaults.digestTitle") }
        == [true])
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
