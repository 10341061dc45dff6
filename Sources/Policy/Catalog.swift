import Contract
import MarkedYAML

/// The notification types of the product teams, and how each is delivered: `catalog.yaml`, or a folder of such files,
/// read and checked.
///
/// Immutable: any thread may read it, and a changed file is another catalog with another version. The look-ups on the
/// data path (`typeIndex`, `rules`, `defaults(ofTenant:)`, `text`, `schedule`, `options`, `limit`) allocate nothing.
public final class Catalog: Sendable {
  /// The hash of the content: equal for files that say the same, whatever their order, number, comments and spelling.
  ///
  /// The upper half of the XXH3 128-bit hash of the canonical encoding. Decisions and deliveries carry it.
  public let version: UInt64
  /// What happens with an event of a type that is not listed.
  public let unknownTypes: UnknownTypes
  /// What the files say in vain, such as defaults that no type falls back to: no mistakes, but worth a look.
  public let warnings: [YAMLProblem]
  /// The rules for types that are not listed, where `unknownTypes` is `deliver`.
  public let defaultRules: TypeRules
  /// How many notifications are delivered at once to a recipient on a channel in a period, of all types together; nil
  /// for a channel without such a bound.
  public let budgets: ChannelValues<DeliveryLimit>
  /// What becomes of notifications that come too late to be delivered at once; nil for a channel on which they are.
  public let catchUps: ChannelValues<CatchUp>

  /// The compact form of each tenant's defaults, by the hash of its name.
  private let tenants: [Hash128: TextID]
  private let texts: TextTable
  private let schedules: [Schedule]
  private let options: [WindowOptions]
  private let limits: [DeliveryLimit]
  private let names: [TextID]
  /// The rules of the types, and behind them `defaultRules`: written by the initialiser, read by any thread afterwards,
  /// and freed by the last owner.
  private nonisolated(unsafe) let allRules: UnsafePointer<TypeRules>
  /// Open addressing by the hash of the name: 0 is free, else the index of the type plus 1. Half of it is free.
  private let slots: [UInt32]

  init(_ definition: CatalogDefinition) {
    var texts = TextTableBuilder()
    var schedules = ScheduleTableBuilder()
    var options = WindowOptionsTableBuilder()
    let types = definition.types.sorted { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }
    var limits: [DeliveryLimit] = []
    defaultRules = TypeRules(definition.defaults, &texts, &schedules, &options, &limits)
    let rules = UnsafeMutablePointer<TypeRules>.allocate(capacity: types.count + 1)
    for (index, type) in types.enumerated() {
      (rules + index).initialize(to: TypeRules(type.value, &texts, &schedules, &options, &limits))
    }
    (rules + types.count).initialize(to: defaultRules)
    allRules = UnsafePointer(rules)
    self.limits = limits
    var budgets = ChannelValues<DeliveryLimit>()
    for (channel, budget) in definition.budgets {
      budgets[channel] = DeliveryLimit(budget, &texts, &schedules, &options)?.ofAllTypes
    }
    self.budgets = budgets
    var catchUps = ChannelValues<CatchUp>()
    for (channel, catchUp) in definition.catchUps {
      catchUps[channel] = CatchUp(catchUp, &texts, &schedules, &options)
    }
    self.catchUps = catchUps
    names = types.map { texts.intern($0.key) }
    unknownTypes = definition.unknownTypes
    warnings = definition.warnings
    tenants = Dictionary(
      uniqueKeysWithValues: definition.tenants.map { name, defaults in
        (name.withByteView { Hash128(of: $0) }, texts.add(defaults.profile.encoded))
      })
    self.texts = texts.build()
    self.schedules = schedules.schedules
    self.options = options.options
    var slots = [UInt32](repeating: 0, count: Catalog.slotCount(forTypes: types.count))
    for (index, type) in types.enumerated() {
      var slot = type.key.withByteView { Catalog.firstSlot(of: $0, in: slots.count) }
      while slots[slot] != 0 { slot = (slot + 1) & (slots.count - 1) }
      slots[slot] = UInt32(index + 1)
    }
    self.slots = slots
    var canonical = OutputBuffer()
    definition.appendCanonical(to: &canonical)
    version = Hash128(of: canonical.view).high
  }

  deinit {
    UnsafeMutablePointer(mutating: allRules).deinitialize(count: names.count + 1).deallocate()
  }

  /// The version as 16 lower-case hexadecimal digits.
  public var versionText: String {
    String(Hash128(high: version, low: 0).hex.prefix(16))
  }

  /// The number of types listed. They are numbered from 0 in the byte order of their names.
  public var typeCount: Int { names.count }

  /// The number of a type; nil where the catalog does not list it.
  public func typeIndex(named name: ByteView) -> Int? {
    var slot = Catalog.firstSlot(of: name, in: slots.count)
    while slots[slot] != 0 {
      let index = Int(slots[slot]) - 1
      if texts.view(names[index]) == name { return index }
      slot = (slot + 1) & (slots.count - 1)
    }
    return nil
  }

  /// The rules of the type with a number below `typeCount`.
  public func rules(at index: Int) -> TypeRules { rules(ofType: index).pointee }

  /// The rules of the type with a number below `typeCount`, or those of the types that are not listed for nil: where
  /// they are as long as the catalog lives, since they are too large to be copied for every event.
  public func rules(ofType index: Int?) -> UnsafePointer<TypeRules> {
    guard let index else { return allRules + names.count }
    precondition(index >= 0 && index < names.count, "a type has a number below typeCount")
    return allRules + index
  }

  /// The name of the type with a number below `typeCount`, valid as long as the catalog lives.
  public func typeName(at index: Int) -> ByteView { texts.view(names[index]) }

  /// The defaults of a tenant in the compact form of a ``RecipientProfile``, valid as long as the catalog lives; nil where
  /// it has none.
  public func defaults(ofTenant tenant: ByteView) -> ByteView? {
    tenants.isEmpty ? nil : tenants[Hash128(of: tenant)].map { texts.view($0) }
  }

  /// The bytes of a text of this catalog, valid as long as the catalog lives.
  public func text(_ id: TextID) -> ByteView { texts.view(id) }

  /// A schedule of this catalog.
  public func schedule(_ id: ScheduleID) -> Schedule { schedules[Int(id.index)] }

  /// Options of this catalog; those of a catalog that says nothing for nil.
  public func options(_ id: WindowOptionsID?) -> WindowOptions {
    id.map { options[Int($0.index)] } ?? WindowOptions()
  }

  /// A limit of this catalog.
  public func limit(_ id: DeliveryLimitID) -> DeliveryLimit { limits[Int(id.index)] }

  private static func slotCount(forTypes count: Int) -> Int {
    var slots = 2
    while slots < count * 2 { slots *= 2 }
    return slots
  }

  private static func firstSlot(of name: ByteView, in count: Int) -> Int {
    Int(truncatingIfNeeded: Hash128(of: name).low) & (count - 1)
  }
}

extension Catalog {
  /// Reads a catalog: a file, or a folder whose files `*.yaml` are one catalog together.
  ///
  /// - Throws: `YAMLProblems`, every problem of the files with line, column and key.
  public static func load(path: String) throws(YAMLProblems) -> Catalog {
    try read(CatalogFiles.documents(at: path))
  }

  /// Reads the text of a catalog.
  ///
  /// - Parameters:
  ///   - yaml: the text.
  ///   - file: the name that problems carry.
  /// - Throws: `YAMLProblems`, every problem of the text with line, column and key.
  public static func parse(yaml: String, file: String) throws(YAMLProblems) -> Catalog {
    try read([YAMLDocument(yaml: yaml, file: file)])
  }

  /// The catalog of a system that has none: every type goes to the inbox at once, titled by its name.
  public static let `default` = Catalog(CatalogDefinition())

  private static func read(_ documents: [YAMLDocument]) throws(YAMLProblems) -> Catalog {
    let definition = CatalogDefinition(reading: documents)
    let problems = documents.flatMap(\.problems)
    guard problems.isEmpty else { throw YAMLProblems(problems) }
    return Catalog(definition)
  }
}

extension TypeRules {
  fileprivate init(
    _ definition: TypeDefinition, _ texts: inout TextTableBuilder, _ schedules: inout ScheduleTableBuilder,
    _ table: inout WindowOptionsTableBuilder, _ limits: inout [DeliveryLimit]
  ) {
    var channels: [Channel: ChannelRule] = [:]
    for channel in Channel.allCases {
      guard let rule = definition.channels[channel] else { continue }
      var throttle: DeliveryLimitID?
      if let limit = rule.throttle.flatMap({ DeliveryLimit($0, &texts, &schedules, &table) }) {
        throttle = DeliveryLimitID(index: UInt16(limits.count))
        limits.append(limit)
      }
      channels[channel] = ChannelRule(
        channel: channel, policy: ChannelPolicy(rule.policy, &texts, &schedules, &table),
        mandatory: rule.mandatory,
        throttle: throttle, skipIfSeen: rule.skipIfSeen,
        choices: rule.effectiveChoices)
    }
    self.init(
      category: texts.intern(definition.category),
      title: texts.intern(definition.title),
      link: definition.link.map { texts.intern($0) },
      digestTitle: definition.digestTitle.map { texts.intern($0) },
      priority: definition.priority,
      ownAction: definition.ownAction,
      retracting: definition.retracting,
      channels: ChannelRules(channels))
  }
}

extension DeliveryLimit {
  fileprivate init?(
    _ definition: DeliveryLimitDefinition, _ texts: inout TextTableBuilder,
    _ schedules: inout ScheduleTableBuilder, _ table: inout WindowOptionsTableBuilder
  ) {
    let policy = ChannelPolicy(definition.overflow, &texts, &schedules, &table)
    guard case .digest(let overflow) = policy else { return nil }
    self.init(count: definition.count, periodMilliseconds: definition.periodMilliseconds, overflow: overflow)
  }

  /// The same for all types together.
  fileprivate var ofAllTypes: DeliveryLimit {
    DeliveryLimit(count: count, periodMilliseconds: periodMilliseconds, overflow: overflow.ofAllTypes)
  }
}

extension CatchUp {
  fileprivate init?(
    _ definition: CatchUpDefinition, _ texts: inout TextTableBuilder,
    _ schedules: inout ScheduleTableBuilder, _ table: inout WindowOptionsTableBuilder
  ) {
    let policy = ChannelPolicy(definition.overflow, &texts, &schedules, &table)
    guard case .digest(let overflow) = policy else { return nil }
    self.init(afterMilliseconds: definition.afterMilliseconds, overflow: overflow.ofAllTypes)
  }
}

extension ChannelPolicy {
  fileprivate init(
    _ definition: PolicyDefinition, _ texts: inout TextTableBuilder, _ schedules: inout ScheduleTableBuilder,
    _ table: inout WindowOptionsTableBuilder
  ) {
    switch definition {
    case .immediate:
      self = .immediate
    case .digest(let window, let items, let group, let options):
      let rule =
        switch window {
        case .length(let milliseconds): WindowRule.length(milliseconds: milliseconds)
        case .schedule(let schedule): WindowRule.schedule(schedules.intern(schedule))
        }
      self = .digest(
        DigestRule(
          window: rule, itemLimit: items, group: group.map { texts.intern($0) },
          options: table.intern(options)))
    }
  }
}
