import Policy
import SeededTesting

/// A catalog as the checkers know it, and the same one as the processor reads it: what is decided is held against the
/// former, so that nothing of the policy's code takes part in its own check.
struct CatalogSpec {
  enum Rule: Equatable {
    case immediate
    case digest(window: Int64, items: Int, group: String?)
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
      guard case .digest(let window, _, _)? = channel?.rule else { return longest }
      return max(longest, window)
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
        }
      }
    }
    return lines.joined(separator: "\n") + "\n"
  }
}

extension CatalogSpec {
  /// A catalog of a few types with windows of several lengths.
  static func draw(_ random: inout SeededGenerator) throws -> CatalogSpec {
    let windows: [Int64] = [200, 700, 1500, 3000, 8000, 20_000]
    func digest(_ random: inout SeededGenerator) -> ChannelSpec {
      ChannelSpec(
        rule: .digest(
          window: windows[Int.random(in: 0..<windows.count, using: &random)],
          items: Int.random(in: 1...4, using: &random),
          group: Int.random(in: 0..<3, using: &random) == 0 ? "shared" : nil),
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
