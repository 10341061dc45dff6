import MarkedYAML

/// Why a template cannot be used, as a sentence without a full stop.
struct TemplateError: Error, Equatable {
  let message: String
  var suggestion: String?
}

/// The names that a template may begin a field with, outside of sections.
enum TemplateFields {
  /// A title or link: the event.
  case item
  /// The title of a digest: the delivery.
  case digest

  var names: [String] {
    switch self {
    case .item:
      [
        "id", "source", "type", "time", "actor", "subject", "data", "tenant", "recipient", "category",
        "priority",
      ]
    case .digest:
      ["tenant", "recipient", "category", "type", "priority", "totals", "items", "window"]
    }
  }
}

/// Checks mustache (mustache(5)) for what would make the sinks fail later: tags and sections that do not close,
/// fields that do not exist.
///
/// Partials and changed delimiters are refused: a catalog's templates stand alone. Inside a section a name may come
/// from the section's value, so that only names outside are checked.
enum TemplateSyntax {
  private static let sectionDepthMax = 4

  static func check(_ template: String, fields: TemplateFields) throws(TemplateError) {
    var rest = Substring(template)
    var open: [Substring] = []
    while let (tag, after) = try nextTag(in: rest) {
      rest = after
      try check(tag, &open, fields)
    }
    if let section = open.last {
      throw TemplateError(message: "the section {{#\(section)}} is not closed; add {{/\(section)}}")
    }
  }

  /// The content of the next tag with its sigil, and what follows the tag.
  private static func nextTag(in text: Substring) throws(TemplateError) -> (tag: Substring, after: Substring)?
  {
    guard let start = text.firstRange(of: "{{") else {
      if text.contains("}}") { throw TemplateError(message: "a tag ends with }} but does not begin with {{") }
      return nil
    }
    if text[..<start.lowerBound].contains("}}") {
      throw TemplateError(message: "a tag ends with }} but does not begin with {{")
    }
    let inside = text[start.upperBound...]
    let closing = inside.first == "{" ? "}}}" : "}}"
    guard let end = inside.firstRange(of: closing) else {
      throw TemplateError(message: "the tag {{\(inside.prefix(30)) is not closed; add \(closing)")
    }
    let tag = inside.first == "{" ? inside[..<end.lowerBound].dropFirst() : inside[..<end.lowerBound]
    return (tag, inside[end.upperBound...])
  }

  private static func check(
    _ tag: Substring, _ open: inout [Substring], _ fields: TemplateFields
  ) throws(TemplateError) {
    let sigil = tag.first
    switch sigil {
    case "!":
      return
    case ">", "<", "$", "=":
      throw TemplateError(
        message: "{{\(tag)}}: a catalog's templates know no partials and no other delimiters")
    case "#", "^", "/", "&":
      let name = trimmed(tag.dropFirst())
      try check(name, checksField: sigil != "/" && open.isEmpty, fields)
      if sigil == "/" {
        guard open.last == name else {
          let expected = open.last.map { "the open section is {{#\($0)}}" } ?? "no section is open"
          throw TemplateError(message: "{{/\(name)}} closes nothing: \(expected)")
        }
        open.removeLast()
      } else if sigil != "&" {
        guard open.count < sectionDepthMax else {
          throw TemplateError(message: "sections are nested more than \(sectionDepthMax) deep")
        }
        open.append(name)
      }
    default:
      try check(trimmed(tag), checksField: open.isEmpty, fields)
    }
  }

  private static func check(
    _ name: Substring, checksField: Bool, _ fields: TemplateFields
  ) throws(TemplateError) {
    guard !name.isEmpty else { throw TemplateError(message: "a tag {{}} names no field") }
    guard !name.contains(where: { $0.isWhitespace || $0 == "{" || $0 == "}" }) else {
      throw TemplateError(message: "{{\(name)}} is not the name of a field")
    }
    // swift-mustache applies transforms as calls: {{uppercased(data.title)}}.
    let field = name.split(separator: "(").last.map { $0.prefix { $0 != ")" } } ?? name
    let root = field.prefix { $0 != "." }
    guard checksField, field != ".", !fields.names.contains(String(root)) else { return }
    throw TemplateError(
      message: "{{\(name)}} is not a field; known are \(fields.names.joined(separator: ", "))",
      suggestion: NearestName.of(String(root), in: fields.names))
  }

  private static func trimmed(_ text: Substring) -> Substring {
    let leading = text.drop { $0.isWhitespace }
    guard let last = leading.lastIndex(where: { !$0.isWhitespace }) else { return "" }
    return leading[...last]
  }
}
