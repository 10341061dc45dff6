import Contract
import MarkedYAML

/// Bounds of what a catalog may hold, against a file that grew by mistake.
enum CatalogLimits {
  static let types = 10_000
  static let tenants = 10_000
  static let nameBytes = 256
  static let templateBytes = 4_096
}

extension CatalogDefinition {
  /// The sections at the root of a file.
  private static let sections = ["unknownTypes", "defaults", "tenants", "budget", "catchUp", "types"]

  /// Takes the content from documents and reports to each whatever is wrong in it. What it returns is to be used only
  /// if no document has problems.
  ///
  /// - Parameter areAll: whether the documents are the whole catalog; else what is missing is not reported.
  init(reading documents: [YAMLDocument], areAll: Bool = true) {
    self.init()
    let sections = CatalogSections(of: documents, keys: CatalogDefinition.sections)
    if let value = sections.only("unknownTypes"),
      let choice = value.choice(named: \UnknownTypes.rawValue)
    {
      unknownTypes = choice
    }
    if let value = sections.only("defaults"), let type = TypeDefinition(readingDefaults: value) {
      defaults = type
    }
    if let value = sections.only("tenants") { readTenants(value) }
    if let value = sections.only("budget") {
      budgets = value.byChannel { entry, _ in DeliveryLimitDefinition(readingBudget: entry) } ?? [:]
    }
    if let value = sections.only("catchUp") {
      catchUps = value.byChannel { entry, _ in CatchUpDefinition(reading: entry) } ?? [:]
    }
    var places: [String: YAMLValue] = [:]
    for entry in sections.all("types") { readTypes(entry.value, &places) }
    guard areAll, documents.allSatisfy(\.problems.isEmpty) else { return }
    if unknownTypes == .reject, types.isEmpty {
      documents.first?.report(
        "every event would be rejected: `unknownTypes` is reject and `types` lists none")
    }
    warnings = CatalogReach(self, sections).warnings
  }

  private mutating func readTenants(_ value: YAMLValue) {
    guard !value.isEmpty else {
      value.report("lists no tenant; remove the key, or list one")
      return
    }
    let entries = value.mapping()?.entries ?? []
    guard entries.count <= CatalogLimits.tenants else {
      value.report("lists \(entries.count) tenants; at most \(CatalogLimits.tenants) are allowed")
      return
    }
    for entry in entries {
      guard isName(entry.key, of: entry.keyValue, what: "the name of a tenant") else { continue }
      if entry.key.contains("/") {
        entry.keyValue.report("holds \"/\", which no tenant's name may hold")
      }
      tenants[entry.key] = TenantDefaults(reading: entry.value)
    }
  }

  /// - Parameter places: where each type of the files before is listed.
  private mutating func readTypes(_ value: YAMLValue, _ places: inout [String: YAMLValue]) {
    guard !value.isEmpty else {
      value.report("lists no type; remove the key, or list one")
      return
    }
    guard let mapping = value.mapping() else { return }
    let count = places.count + mapping.entries.count
    guard count <= CatalogLimits.types else {
      let all = places.isEmpty ? "" : ", \(count) with those of the files before"
      value.report("lists \(mapping.entries.count) types\(all); at most \(CatalogLimits.types) are allowed")
      return
    }
    for entry in mapping.entries {
      guard isName(entry.key, of: entry.keyValue, what: "the name of a type") else { continue }
      let type = TypeDefinition(reading: entry.value, defaults: defaults)
      if let place = places.updateValue(entry.keyValue, forKey: entry.key)?.place {
        entry.keyValue.report("is listed twice: in \(place) as well; keep one of them")
      }
      types[entry.key] = type
    }
  }
}

extension TypeDefinition {
  private static let keys = [
    "category", "title", "link", "digestTitle", "priority", "ownAction", "retracting", "channels",
  ]

  /// The `defaults` section: everything is optional and keeps the built-in default.
  fileprivate init?(readingDefaults value: YAMLValue) {
    guard !value.isEmpty else {
      value.report("is empty; remove the key, or give a default")
      return nil
    }
    guard let mapping = value.mapping(keys: TypeDefinition.keys) else { return nil }
    self.init()
    read(mapping)
  }

  /// A listed type. Category, priority, own-action rule and channels fall back to the catalog's defaults; templates do
  /// not: a title that was made for any type says nothing about this one.
  fileprivate init?(reading value: YAMLValue, defaults: TypeDefinition) {
    guard let mapping = value.mapping(keys: TypeDefinition.keys) else { return nil }
    self.init(
      category: defaults.category, priority: defaults.priority, ownAction: defaults.ownAction,
      retracting: .deliver,
      channels: defaults.channels)
    if mapping["title"] == nil {
      value.report("lacks a title: add `title:` with a template such as \"{{actor}}: {{data.title}}\"")
    }
    read(mapping)
  }

  private mutating func read(_ mapping: YAMLMapping) {
    if let value = mapping["category"], let text = readName(value, what: "a category") {
      if text == "*" {
        value.report("\"*\" stands for all categories, and is the name of none")
      }
      category = text
    }
    if let value = mapping["title"], let text = readTemplate(value, fields: .item) { title = text }
    if let value = mapping["link"] { link = readTemplate(value, fields: .item) }
    if let value = mapping["digestTitle"] { digestTitle = readTemplate(value, fields: .digest) }
    if let value = mapping["priority"],
      let choice = value.choice(named: \Priority.name)
    {
      priority = choice
    }
    if let value = mapping["ownAction"],
      let choice = value.choice(named: \OwnAction.rawValue)
    {
      ownAction = choice
    }
    if let value = mapping["retracting"],
      let choice = value.choice(named: \Retracting.rawValue)
    {
      retracting = choice
    }
    if let value = mapping["channels"],
      let rules = value.byChannel({ ChannelDefinition(reading: $0, of: $1) })
    {
      channels = rules
    }
  }

  private func readTemplate(_ value: YAMLValue, fields: TemplateFields) -> String? {
    guard let text = value.text() else { return nil }
    guard text.utf8.count <= CatalogLimits.templateBytes else {
      value.report("has \(text.utf8.count) bytes; a template may have \(CatalogLimits.templateBytes)")
      return nil
    }
    guard text.contains(where: { !$0.isWhitespace }) else {
      value.report("is an empty template")
      return nil
    }
    do throws(TemplateError) {
      try TemplateSyntax.check(text, fields: fields)
      return text
    } catch {
      value.report(error.message, suggestion: error.suggestion)
      return nil
    }
  }
}

extension ChannelDefinition {
  fileprivate init?(reading value: YAMLValue, of channel: Channel) {
    let keys =
      [
        "policy", "window", "cadence", "at", "weekdays", "items", "group", "throttle", "mandatory", "choices",
        "skipIfSeen",
      ]
      + WindowOptions.keys
    guard let mapping = value.mapping(keys: keys) else { return nil }
    self.init()
    if let flag = mapping["mandatory"]?.boolean() { mandatory = flag }
    if let value = mapping["throttle"] { throttle = DeliveryLimitDefinition(reading: value) }
    if let value = mapping["skipIfSeen"], let flag = value.boolean() {
      if channel == .inapp {
        value.report("has a meaning only on `email`: the inbox is where things are seen")
      }
      skipIfSeen = flag
    }
    if let value = mapping["choices"] { choices = CadenceChoices(reading: value) }
    guard let policyValue = mapping.required("policy"),
      let kind = policyValue.choice(of: [
        "immediate": Kind.immediate, "digest": .digest, "schedule": .schedule,
      ])
    else { return }
    reportMisplaced(in: mapping, kind)
    let window: WindowDefinition?
    var length: Duration?
    switch kind {
    case .immediate: return
    case .digest:
      length = mapping.required("window")?.duration(in: DigestRule.windowBounds)
      window = length.map { .length(milliseconds: $0.wholeMilliseconds) }
    case .schedule:
      window = Schedule(readingKeysOf: mapping).map { .schedule($0) }
    }
    let items = mapping["items"].map { ItemsDefinition(reading: $0) } ?? ItemsDefinition()
    let group = mapping["group"].flatMap { readName($0, what: "a digest key") }
    var options = WindowOptions(readingKeysOf: mapping, window: length)
    guard let window, let items else { return }
    options.selection = items.selection
    policy = .digest(window, items: items.count, group: group, options)
  }

  /// The policies as `policy` names them.
  private enum Kind {
    case immediate, digest, schedule
  }

  private func reportMisplaced(in mapping: YAMLMapping, _ kind: Kind) {
    WindowOptions.reportMisplaced(
      in: mapping, isCollecting: kind != .immediate, isSchedule: kind == .schedule)
    if kind != .immediate { mapping["throttle"]?.report("has a meaning only with `policy: immediate`") }
    if kind != .digest { mapping["window"]?.report("has a meaning only with `policy: digest`") }
    if kind != .schedule {
      for key in ["cadence", "at", "weekdays"] {
        mapping[key]?.report("has a meaning only with `policy: schedule`")
      }
    }
    if kind == .immediate {
      for key in ["items", "group"] {
        mapping[key]?.report("has a meaning only with `policy: digest` or `policy: schedule`")
      }
    }
  }
}

extension PolicyDefinition {
  /// Reads what becomes of notifications beyond a limit: a digest, with its keys. What is wrong is reported to the
  /// document, and nil returned.
  init?(readingOverflow value: YAMLValue) {
    guard let mapping = value.mapping() else { return nil }
    for key in ["throttle", "mandatory", "choices", "leadingEdge", "skipIfSeen"] {
      mapping[key]?.report("has no meaning in an `overflow`")
    }
    // The keys that a channel makes a difference to have no meaning here.
    guard let channel = ChannelDefinition(reading: value, of: .email) else { return nil }
    if let policy = mapping["policy"], policy.text() == "immediate" {
      policy.report("must be digest or schedule: it takes what may not be delivered at once")
    }
    guard case .digest = channel.policy else { return nil }
    self = channel.policy
  }

  /// The same in a group, unless one is named: what an overflow takes shares one digest whatever its category.
  func grouped(_ group: String) -> PolicyDefinition {
    guard case .digest(let window, let items, nil, let options) = self else { return self }
    return .digest(window, items: items, group: group, options)
  }
}

/// A name within bounds and without control characters.
private func readName(_ value: YAMLValue, what: String) -> String? {
  guard let text = value.text(), isName(text, of: value, what: what) else { return nil }
  return text
}

/// Whether a text has 1 to 256 bytes and no control characters; else that is reported.
func isName(_ text: String, of value: YAMLValue, what: String) -> Bool {
  guard (1...CatalogLimits.nameBytes).contains(text.utf8.count) else {
    value.report("\(what) must have 1 to \(CatalogLimits.nameBytes) bytes, but has \(text.utf8.count)")
    return false
  }
  guard !text.unicodeScalars.contains(where: { $0.properties.generalCategory == .control }) else {
    value.report("\(what) must not hold control characters")
    return false
  }
  return true
}
