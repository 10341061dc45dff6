import Policy
import SeededTesting

/// A catalog as the checkers know it, and the same one as the processor reads it: what is decided is held against the
/// former, so that nothing of the policy's code takes part in its own check.
struct CatalogSpec {
  enum Rule: Equatable {
    case immediate
    case digest(window: Int64, items: Int, group: String?)
    case schedule(times: MinuteTimes, items: Int, group: String?)

    /// Whether what it decides waits in a window.
    var isCollecting: Bool { self != .immediate }

    /// The number of items that a digest carries in full.
    var items: Int {
      switch self {
      case .immediate: 1
      case .digest(_, let items, _), .schedule(_, let items, _): items
      }
    }

    /// What shares a window besides recipient and channel; nil for the category.
    var group: String? {
      switch self {
      case .immediate: nil
      case .digest(_, _, let group), .schedule(_, _, let group): group
      }
    }

    /// The instants at which a window may close that opens at another, all in milliseconds, if the recipient's record
    /// is one of some.
    func due(openedAt opened: Int64, _ versions: [RecipientFact?]) -> [Int64] {
      switch self {
      case .immediate: []
      case .digest(let window, _, _): [opened + window]
      case .schedule(let times, _, _): versions.map { times.next(after: opened, in: $0?.timeZone) }
      }
    }
  }

  struct ChannelSpec {
    var rule: Rule
    var isMandatory: Bool
  }

  struct TypeSpec {
    var name: String
    var category: String
    var email: ChannelSpec?
    var inapp: ChannelSpec?

    func channel(_ name: String) -> ChannelSpec? { name == "email" ? email : inapp }
  }

  let types: [TypeSpec]
  let catalog: Catalog

  /// The version as decisions and deliveries write it.
  var version: String { catalog.versionText }

  static let unknownType = "nobody.knows"

  init(types: [TypeSpec]) throws {
    self.types = types
    catalog = try Catalog.parse(yaml: Self.yaml(types), file: "catalog.yaml")
  }

  func type(named name: String) -> TypeSpec? { types.first { $0.name == name } }

  /// The longest window, in milliseconds.
  var longestWindow: Int64 {
    types.flatMap { [$0.email, $0.inapp] }.reduce(0) { longest, channel in
      switch channel?.rule {
      case .digest(let window, _, _): return max(longest, window)
      case .schedule: return max(longest, MinuteTimes.longestWait)
      case .immediate, nil: return longest
      }
    }
  }

  private static func yaml(_ types: [TypeSpec]) -> String {
    var lines = ["unknownTypes: reject", "types:"]
    for type in types {
      lines += ["  \(type.name):", "    category: \(type.category)", "    title: \"{{actor}} \(type.name)\""]
      lines.append("    channels:")
      for (name, channel) in [("email", type.email), ("inapp", type.inapp)] {
        guard let channel else { continue }
        let mandatory = channel.isMandatory ? ", mandatory: true" : ""
        switch channel.rule {
        case .immediate: lines.append("      \(name): { policy: immediate\(mandatory) }")
        case .digest(let window, let items, let group):
          let groupText = group.map { ", group: \($0)" } ?? ""
          lines.append(
            "      \(name): { policy: digest, window: \(window)ms, items: \(items)\(groupText)\(mandatory) }")
        case .schedule(let times, let items, let group):
          let groupText = group.map { ", group: \($0)" } ?? ""
          lines.append(
            "      \(name): { policy: schedule, \(times.keys), items: \(items)\(groupText)\(mandatory) }")
        }
      }
    }
    return lines.joined(separator: "\n") + "\n"
  }
}

extension CatalogSpec {
  /// A catalog of a few types with windows of several lengths, and some that close by schedule in the minutes after the
  /// start of the run, in milliseconds since the epoch.
  static func draw(_ random: inout SeededGenerator, start: Int64) throws -> CatalogSpec {
    let windows: [Int64] = [200, 700, 1500, 3000, 8000, 20_000]
    let times = MinuteTimes(after: start)
    func digest(_ random: inout SeededGenerator) -> ChannelSpec {
      let window = windows[Int.random(in: 0..<windows.count, using: &random)]
      let items = Int.random(in: 1...4, using: &random)
      let group = Int.random(in: 0..<3, using: &random) == 0 ? "shared" : nil
      let isScheduled = Int.random(in: 0..<4, using: &random) == 0
      return ChannelSpec(
        rule: isScheduled
          ? .schedule(times: times, items: items, group: group)
          : .digest(window: window, items: items, group: group),
        isMandatory: Int.random(in: 0..<8, using: &random) == 0)
    }
    let immediate = ChannelSpec(rule: .immediate, isMandatory: false)
    return try CatalogSpec(types: [
      TypeSpec(name: "card.moved", category: "cards", email: digest(&random), inapp: immediate),
      TypeSpec(name: "card.due", category: "cards", email: digest(&random), inapp: digest(&random)),
      TypeSpec(name: "build.failed", category: "builds", email: immediate, inapp: immediate),
      TypeSpec(name: "build.done", category: "builds", email: nil, inapp: digest(&random)),
      TypeSpec(
        name: "login", category: "security", email: ChannelSpec(rule: .immediate, isMandatory: true),
        inapp: nil),
    ])
  }
}
