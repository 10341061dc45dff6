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

/// Checks mustache (mustache(5)) for what would make the sinks fail later: tags and sections that do not close, names
/// that their parser (swift-mustache) does not read, fields and transforms that do not exist.
///
/// Partials and changed delimiters are refused: a catalog's templates stand alone. Inside a section a name may come
/// from the section's value, so that only names outside are checked.
enum TemplateSyntax {
  private static let sectionDepthMax = 4
  /// What the parser reads in a name, beside the brackets of transforms.
  private static let nameCharacters = Set<Character>(
    "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.-_?*")
  /// What may be called with a value, as {{uppercased(data.title)}}.
  private static let transforms = [
    "capitalized", "count", "empty", "enumerated", "equalzero", "even", "first", "last", "lowercased",
    "minusone",
    "odd", "plusone", "reversed", "sorted", "uppercased",
  ]
  /// What may be called without a value, in a section: they tell where in its list the section is.
  private static let listTransforms = ["even", "first", "index", "last", "odd"]

  static func check(_ template: String, fields: TemplateFields) throws(TemplateError) {
    // The parser wants something behind a brace, and takes a mark for a part of what stands before the template.
    if template.last == "{" {
      throw TemplateError(message: "a template must not end with {, which begins a tag")
    }
    if "}\(template)".first != "}" {
      throw TemplateError(message: "a template must not begin with a mark that belongs to a letter before it")
    }
    var rest = Substring(template)
    var open: [Substring] = []
    while let (tag, isUnescaped, after) = try nextTag(in: rest) {
      rest = after
      if isUnescaped {
        try check(trimmed(tag), isInSection: !open.isEmpty, fields)
      } else {
        try check(tag, &open, fields)
      }
    }
    if let section = open.last {
      throw TemplateError(message: "the section {{#\(section)}} is not closed; add {{/\(section)}}")
    }
  }

  /// The content of the next tag with its sigil, whether it stands in three braces, which take no sigil, and what follows
  /// the tag.
  private static func nextTag(
    in text: Substring
  ) throws(TemplateError) -> (tag: Substring, isUnescaped: Bool, after: Substring)? {
    guard let start = text.firstRange(of: "{{") else {
      if text.contains("}}") { throw TemplateError(message: "a tag ends with }} but does not begin with {{") }
      return nil
    }
    if text[..<start.lowerBound].contains("}}") {
      throw TemplateError(message: "a tag ends with }} but does not begin with {{")
    }
    let inside = text[start.upperBound...]
    let isUnescaped = inside.first == "{"
    let closing = isUnescaped ? "}}}" : "}}"
    guard let end = inside.firstRange(of: closing) else {
      throw TemplateError(message: "the tag {{\(inside.prefix(30)) is not closed; add \(closing)")
    }
    let tag = isUnescaped ? inside[..<end.lowerBound].dropFirst() : inside[..<end.lowerBound]
    return (tag, isUnescaped, inside[end.upperBound...])
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
      try check(name, isInSection: sigil == "/" || !open.isEmpty, fields)
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
      try check(trimmed(tag), isInSection: !open.isEmpty, fields)
    }
  }

  private static func check(
    _ name: Substring, isInSection: Bool, _ fields: TemplateFields
  ) throws(TemplateError) {
    guard !name.isEmpty else { throw TemplateError(message: "a tag {{}} names no field") }
    try checkCharacters(name)
    let field = try fieldOfCalls(name)
    if isInSection { return }
    guard !field.isEmpty, field != "." else {
      throw TemplateError(message: "{{\(name)}} stands for nothing outside of a section")
    }
    let root = field.prefix { $0 != "." }
    guard !fields.names.contains(String(root)) else { return }
    throw TemplateError(
      message: "{{\(name)}} is not a field; known are \(fields.names.joined(separator: ", "))",
      suggestion: NearestName.of(String(root), in: fields.names))
  }

  private static func checkCharacters(_ name: Substring) throws(TemplateError) {
    guard let wrong = name.first(where: { !nameCharacters.contains($0) && $0 != "(" && $0 != ")" }) else {
      return
    }
    let reason =
      switch wrong {
      case "{", "}": ""
      case "[": ": a section reaches the elements of a list, as {{#data.items}}{{name}}{{/data.items}} does"
      case _ where wrong.isWhitespace: ""
      default: ": it may have ASCII letters, digits and . - _ ? *"
      }
    throw TemplateError(message: "{{\(name)}} is not the name of a field\(reason)")
  }

  /// The field that a name calls transforms with, as in {{uppercased(first(data.files))}}: the name itself where it
  /// calls none, and nothing where a transform is about the section's list.
  private static func fieldOfCalls(_ name: Substring) throws(TemplateError) -> Substring {
    let calls = name.split(separator: "(", omittingEmptySubsequences: false)
    guard let last = calls.last else { return name }
    let field = last.prefix { $0 != ")" }
    guard last[field.endIndex...] == String(repeating: ")", count: calls.count - 1) else {
      throw TemplateError(message: "{{\(name)}}: its brackets do not close each other")
    }
    for (index, call) in calls.dropLast().enumerated() {
      let isOfList = field.isEmpty && index == calls.count - 2
      let known = isOfList ? listTransforms : transforms
      guard !known.contains(String(call)) else { continue }
      if isOfList, transforms.contains(String(call)) {
        throw TemplateError(message: "{{\(name)}} names no field")
      }
      throw TemplateError(
        message: "{{\(name)}}: there is no transform \(call)",
        suggestion: NearestName.of(String(call), in: known))
    }
    return field
  }

  private static func trimmed(_ text: Substring) -> Substring {
    let leading = text.drop { $0.isWhitespace }
    guard let last = leading.lastIndex(where: { !$0.isWhitespace }) else { return "" }
    return leading[...last]
  }
}
