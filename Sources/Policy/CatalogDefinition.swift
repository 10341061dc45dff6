import Contract
import MarkedYAML

/// What happens with an event of a type that the catalog does not list.
public enum UnknownTypes: String, CaseIterable, Sendable {
  /// It is delivered by the catalog's defaults.
  case deliver
  /// It goes to the rejected topic with the reason `unknownType`.
  case reject
}

/// The content of a catalog as its authors wrote it, checked, with the defaults filled in.
struct CatalogDefinition: Equatable {
  var unknownTypes = UnknownTypes.deliver
  var defaults = TypeDefinition()
  /// By the tenant's name.
  var tenants: [String: TenantDefaults] = [:]
  var types: [String: TypeDefinition] = [:]
  /// How many are delivered at once to a recipient in a period, of all types together.
  var budgets: [Channel: DeliveryLimitDefinition] = [:]
  /// What becomes of notifications that come too late to be delivered at once.
  var catchUps: [Channel: CatchUpDefinition] = [:]
  /// What it says in vain, with the place in the files. Not part of the content.
  var warnings: [YAMLProblem] = []
}

/// The content of one type.
struct TypeDefinition: Equatable {
  var category = "general"
  var title = "{{type}}"
  var link: String?
  var digestTitle: String?
  var priority = Priority.normal
  var ownAction = OwnAction.skip
  /// An event of a type that nobody listed has nothing to say besides.
  var retracting = Retracting.silent
  var channels: [Channel: ChannelDefinition] = [.inapp: ChannelDefinition()]
}

/// The content of one channel of a type.
struct ChannelDefinition: Equatable {
  var policy = PolicyDefinition.immediate
  var mandatory = false
  /// How many are delivered at once in a period; nil: all.
  var throttle: DeliveryLimitDefinition?
  var skipIfSeen = false
  /// Nil where the catalog says nothing.
  var choices: CadenceChoices?

  var effectiveChoices: CadenceChoices { choices ?? .standard(mandatory: mandatory) }
}

/// The content of one policy.
enum PolicyDefinition: Equatable {
  case immediate
  case digest(WindowDefinition, items: Int, group: String?, WindowOptions)
}

/// When a window closes.
enum WindowDefinition: Equatable {
  case length(milliseconds: Int64)
  case schedule(Schedule)
}

extension CatalogDefinition {
  /// The number of the canonical encoding, part of it: a change of the encoding is a change of all versions.
  private static let encodingVersion: UInt8 = 1

  /// Appends the one encoding that equal contents have, whatever the file looked like: what the version is a hash of.
  func appendCanonical(to output: inout OutputBuffer) {
    output.append(byte: CatalogDefinition.encodingVersion)
    output.append(canonical: unknownTypes.rawValue)
    defaults.appendCanonical(to: &output, retractingByDefault: .silent)
    output.append(varint: UInt64(types.count))
    for (name, type) in types.sorted(by: { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }) {
      output.append(canonical: name)
      type.appendCanonical(to: &output, retractingByDefault: .deliver)
    }
    // What a catalog does not use leaves its version as it is.
    guard !tenants.isEmpty || !budgets.isEmpty || !catchUps.isEmpty else { return }
    output.append(varint: UInt64(tenants.count))
    for (name, defaults) in tenants.sorted(by: { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }) {
      output.append(canonical: name)
      var form = OutputBuffer()
      defaults.appendCanonical(to: &form)
      output.append(lengthPrefixed: form.view)
    }
    for (channel, budget) in budgets.sorted(by: { $0.key.rawValue < $1.key.rawValue }) {
      output.append(byte: channel.rawValue)
      budget.appendCanonical(to: &output)
    }
    for (channel, catchUp) in catchUps.sorted(by: { $0.key.rawValue < $1.key.rawValue }) {
      output.append(byte: 128 | channel.rawValue)
      catchUp.appendCanonical(to: &output)
    }
  }
}

extension TypeDefinition {
  fileprivate func appendCanonical(to output: inout OutputBuffer, retractingByDefault: Retracting) {
    output.append(canonical: category)
    output.append(canonical: title)
    output.append(canonical: link)
    output.append(canonical: digestTitle)
    // What a catalog does not use leaves its version as it is.
    let flags: UInt8 = (priority == .critical ? 1 : 0) | (ownAction == .deliver ? 2 : 0)
    output.append(byte: flags | (retracting == retractingByDefault ? 0 : 4))
    output.append(byte: UInt8(channels.count))
    for (channel, rule) in channels.sorted(by: { $0.key.rawValue < $1.key.rawValue }) {
      output.append(byte: channel.rawValue)
      let unusual = rule.effectiveChoices.symmetricDifference(.standard(mandatory: rule.mandatory))
      output.append(byte: (rule.mandatory ? 1 : 0) | unusual.rawValue << 1 | (rule.skipIfSeen ? 32 : 0))
      rule.policy.appendCanonical(to: &output)
      if let throttle = rule.throttle {
        output.append(byte: 255)
        throttle.appendCanonical(to: &output)
      }
    }
  }
}

extension PolicyDefinition {
  /// Appends the one encoding that equal policies have.
  func appendCanonical(to output: inout OutputBuffer) {
    switch self {
    case .immediate:
      output.append(byte: 0)
    case .digest(let window, let items, let group, let options):
      // Options that a catalog does not use leave its version as it is.
      let hasOptions = options != WindowOptions()
      switch window {
      case .length(let milliseconds):
        output.append(byte: hasOptions ? 3 : 1)
        output.append(littleEndian: milliseconds)
      case .schedule(let schedule):
        output.append(byte: hasOptions ? 4 : 2)
        schedule.encode(into: &output)
      }
      output.append(varint: UInt64(items))
      output.append(canonical: group)
      if hasOptions { options.appendCanonical(to: &output) }
    }
  }
}

extension OutputBuffer {
  fileprivate mutating func append(canonical text: String?) {
    append(byte: text == nil ? 0 : 1)
    text?.withByteView { append(lengthPrefixed: $0) }
  }
}
