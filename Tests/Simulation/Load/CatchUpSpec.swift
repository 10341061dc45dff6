import SeededTesting

/// What a catalog says of notifications that are too late to be delivered at once, and the digest of them; times in
/// milliseconds.
struct CatchUpSpec {
  var after: Int64
  var window: Int64
  var items: Int
  var group: String?
  var options: WindowOptionsSpec

  /// The rule of the digest.
  var rule: CatalogSpec.Rule { .overflow("catchUp", window: window, items: items, group: group ?? "catchUp") }

  /// As the catalog says it.
  var text: String {
    let groupText = group.map { ", group: \($0)" } ?? ""
    return "{ after: \(after)ms, overflow: { policy: digest, window: \(window)ms, "
      + "items: \(options.items(items))\(groupText)\(options.keys) } }"
  }

  static func draw(_ random: inout SeededGenerator) -> CatchUpSpec {
    let window = Int64.random(in: 1...8, using: &random) * 500
    var options = WindowOptionsSpec.draw(&random, window: window)
    options.leadingEdge = false
    return CatchUpSpec(
      after: Int64.random(in: 2...12, using: &random) * 500, window: window,
      items: Int.random(in: 1...4, using: &random),
      group: Int.random(in: 0..<3, using: &random) == 0 ? "overflow" : nil, options: options)
  }
}
