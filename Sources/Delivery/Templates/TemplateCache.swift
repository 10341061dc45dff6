import Contract
import Logging
import Mustache
import Synchronization

/// Compiled templates of the catalog by their text. Any task may use it.
final class TemplateCache: Sendable {
  /// The longest template, in bytes; the catalog allows no longer one.
  static let lengthLimit = 4096
  /// How deep sections may nest, as the catalog allows it: a section repeats over a list, and lists in lists multiply;
  /// and the parser of swift-mustache recurses, and would overrun its stack.
  static let depthLimit = 4
  /// The most templates that are kept; a catalog has far fewer. When there are more, all are forgotten.
  static let countLimit = 1000

  private let templates = Mutex<[ExactText: MustacheTemplate?]>([:])
  private let logger: Logger

  init(logger: Logger) { self.logger = logger }

  /// The text that a template gives with these fields, not escaped; nil when it does not compile, which is logged
  /// once.
  func render(_ template: String, _ fields: @autoclosure () -> [String: Any]) -> String? {
    compiled(template)?.render(fields())
  }

  private func compiled(_ text: String) -> MustacheTemplate? {
    let key = ExactText(text)
    if let known = templates.withLock({ $0[key] }) { return known }
    let compiled = compile(text)
    templates.withLock { templates in
      if templates.count >= Self.countLimit { templates.removeAll() }
      templates[key] = .some(compiled)
    }
    return compiled
  }

  private func compile(_ text: String) -> MustacheTemplate? {
    do {
      if let fault = Self.fault(in: text) { throw UnsafeTemplate(description: fault) }
      return try MustacheTemplate(string: "{{% CONTENT_TYPE:TEXT}}" + text)
    } catch {
      logger.error(
        "a template of the catalog does not compile; its deliveries are titled by type and subject",
        metadata: ["template": "\(text.prefix(200))", "error": "\(error)"])
      return nil
    }
  }

  /// Why the template is not even parsed; nil when it may be. Whoever can write to the topic can send any.
  private static func fault(in text: String) -> String? {
    let bytes = Array(text.utf8)
    guard bytes.count <= lengthLimit else { return "a template may have \(lengthLimit) bytes" }
    var depth = 0
    for index in bytes.indices.dropFirst(2)
    where bytes[index - 1] == UInt8(ascii: "{") && bytes[index - 2] == UInt8(ascii: "{") {
      switch bytes[index...].first(where: { $0 != UInt8(ascii: " ") && $0 != UInt8(ascii: "\t") }) {
      case UInt8(ascii: "="): return "other delimiters are not allowed in a template"
      case UInt8(ascii: "#"), UInt8(ascii: "^"), UInt8(ascii: "<"), UInt8(ascii: "$"): depth += 1
      case UInt8(ascii: "/"): depth -= 1
      default: break
      }
      guard depth <= depthLimit else { return "sections may nest \(depthLimit) deep" }
    }
    return nil
  }
}

private struct UnsafeTemplate: Error, CustomStringConvertible {
  let description: String
}
