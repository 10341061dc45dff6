import Contract
import MarkedYAML

/// Finds what a catalog says in vain: sound parts that no event can ever reach.
///
/// Such a part is no mistake, so that a process starts with it; but whoever wrote it meant something by it.
struct CatalogReach {
  private let definition: CatalogDefinition
  private let sections: CatalogSections
  private(set) var warnings: [YAMLProblem] = []
  /// The categories of all types, in order.
  private let categories: [String]
  /// By a category of no type: that of a type which was probably meant.
  private var suggestions: [String: String?]
  /// The most categories of no type that are compared with those of all types: each takes a while.
  private static let suggestionLimit = 1_000

  /// - Parameters:
  ///   - definition: what was read from the sections.
  ///   - sections: those of documents without a problem.
  init(_ definition: CatalogDefinition, _ sections: CatalogSections) {
    self.definition = definition
    self.sections = sections
    let known = Set(definition.types.values.map(\.category) + [definition.defaults.category])
    categories = known.sorted()
    // What is known needs no suggestion.
    suggestions = Dictionary(uniqueKeysWithValues: known.map { ($0, String?.none) })
    let types = sections.all("types").flatMap { $0.value.mapping()?.entries ?? [] }
    if let defaults = sections.only("defaults")?.mapping() { readDefaults(defaults, types) }
    for tenant in sections.only("tenants")?.mapping()?.entries ?? [] { readTenant(tenant) }
    warnings = YAMLProblems(warnings).problems
  }

  private mutating func readDefaults(_ defaults: YAMLMapping, _ types: [YAMLMapping.Entry]) {
    if definition.unknownTypes == .deliver { return }
    // Only listed types are delivered: the defaults are what these fall back to.
    for key in ["title", "link", "digestTitle"] {
      guard let value = defaults[key] else { continue }
      warn(value, "is never used: types have templates of their own, and `unknownTypes` is reject")
    }
    for entry in defaults.entries where !["title", "link", "digestTitle"].contains(entry.key) {
      guard types.allSatisfy({ $0.value.mapping()?[entry.key] != nil }) else { continue }
      warn(entry.value, "is never used: every type has its own, and `unknownTypes` is reject")
    }
  }

  /// A category of no type may be one that events name themselves: only what looks like a slip is worth a look.
  private mutating func readTenant(_ entry: YAMLMapping.Entry) {
    for category in entry.value.mapping()?["preferences"]?.mapping()?.entries ?? []
    where category.key != "*" {
      guard let meant = suggestion(for: category.key) else { continue }
      warn(
        category.keyValue,
        "is the category of no type: it holds only for events that name it themselves",
        suggestion: meant)
    }
  }

  /// The category of a type that another was probably meant to be. Many tenants name the same ones.
  private mutating func suggestion(for category: String) -> String? {
    if let known = suggestions[category] { return known }
    guard suggestions.count < categories.count + Self.suggestionLimit else { return nil }
    let meant = NearestName.of(category, in: categories)
    suggestions[category] = .some(meant)
    return meant
  }

  private mutating func warn(_ value: YAMLValue, _ message: String, suggestion: String? = nil) {
    warnings.append(value.problem(message, suggestion: suggestion))
  }
}
