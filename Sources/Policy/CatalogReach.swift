import Contract
import MarkedYAML

/// Finds what a catalog says in vain: sound parts that no event can ever reach.
///
/// Such a part is no mistake, so that a process starts with it; but whoever wrote it meant something by it.
struct CatalogReach {
  private let definition: CatalogDefinition
  private let sections: CatalogSections
  private(set) var warnings: [YAMLProblem] = []

  /// - Parameters:
  ///   - definition: what was read from the sections.
  ///   - sections: those of documents without a problem.
  init(_ definition: CatalogDefinition, _ sections: CatalogSections) {
    self.definition = definition
    self.sections = sections
    let types = sections.all("types").flatMap { $0.value.mapping()?.entries ?? [] }
    for type in types { readType(type) }
    if let defaults = sections.only("defaults")?.mapping() { readDefaults(defaults, types) }
    for tenant in sections.only("tenants")?.mapping()?.entries ?? [] { readTenant(tenant) }
    warnings = YAMLProblems(warnings).problems
  }

  private mutating func readType(_ entry: YAMLMapping.Entry) {
    guard let type = definition.types[entry.key], let keys = entry.value.mapping() else { return }
    if let title = keys["digestTitle"], !hasDigest(type) {
      warn(title, "is never used: none of the type's channels makes digests")
    }
  }

  private mutating func readDefaults(_ defaults: YAMLMapping, _ types: [YAMLMapping.Entry]) {
    if definition.unknownTypes == .deliver {
      if let title = defaults["digestTitle"], !hasDigest(definition.defaults) {
        warn(title, "is never used: none of the defaults' channels makes digests")
      }
      return
    }
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

  private mutating func readTenant(_ entry: YAMLMapping.Entry) {
    let categories = Set(definition.types.values.map(\.category) + [definition.defaults.category])
    for category in entry.value.mapping()?["preferences"]?.mapping()?.entries ?? []
    where category.key != "*" && !categories.contains(category.key) {
      warn(
        category.keyValue,
        "is the category of no type: it holds only for events that name it themselves",
        suggestion: NearestName.of(category.key, in: categories.sorted()))
    }
  }

  private func hasDigest(_ type: TypeDefinition) -> Bool {
    type.channels.contains { channel, rule in
      rule.policy != .immediate || rule.throttle != nil || definition.budgets[channel] != nil
        || definition.catchUps[channel] != nil
    }
  }

  private mutating func warn(_ value: YAMLValue, _ message: String, suggestion: String? = nil) {
    warnings.append(value.problem(message, suggestion: suggestion))
  }
}
