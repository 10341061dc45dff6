import Contract
import MarkedYAML

extension WindowOptions {
  /// The keys of options, as they stand beside `policy: digest` and, but for the first two, `policy: schedule`.
  static let keys = ["sliding", "maxWindow", "maxItems", "minItems", "fewer", "leadingEdge", "key"]

  /// Reads the options among the keys of a channel. What is wrong is reported to the document; what is returned counts
  /// only if it has no problems.
  ///
  /// - Parameter window: the length of the window; nil where it closes by a schedule, or is none.
  init(readingKeysOf mapping: YAMLMapping, window: Duration?) {
    readSlide(mapping, window)
    if let value = mapping["maxItems"] { maxItems = value.integer(in: WindowOptions.maxItemsBounds) }
    readMinItems(mapping)
    if let flag = mapping["leadingEdge"]?.boolean() { leadingEdge = flag }
    if let value = mapping["key"] { key = [EventField](reading: value) ?? [] }
  }

  private mutating func readSlide(_ mapping: YAMLMapping, _ window: Duration?) {
    let isSliding = mapping["sliding"]?.boolean() ?? false
    let longest = mapping["maxWindow"]?.duration(in: DigestRule.windowBounds)
    guard isSliding else {
      mapping["maxWindow"]?.report("has a meaning only with `sliding: true`")
      return
    }
    guard let value = mapping["maxWindow"] else {
      mapping["sliding"]?.report(
        "needs `maxWindow`, the longest that the window may become; else it would never close while "
          + "notifications come")
      return
    }
    guard let longest, let window else { return }
    guard longest > window else {
      value.report(
        "must be longer than `window`, which is \(DurationText.format(window)): otherwise the window cannot slide"
      )
      return
    }
    slide = Slide(step: window.wholeMilliseconds, longest: longest.wholeMilliseconds)
  }

  private mutating func readMinItems(_ mapping: YAMLMapping) {
    let fewer = mapping["fewer"].map {
      $0.choice(of: ["single": FewerItems.single, "hold": .hold])
    }
    guard let value = mapping["minItems"] else {
      mapping["fewer"]?.report("has a meaning only with `minItems`")
      return
    }
    guard let count = value.integer(in: WindowOptions.minItemsBounds), let fewer = fewer ?? .single else {
      return
    }
    if let maxItems, maxItems < count {
      value.report(
        "must not be more than `maxItems`, which is \(maxItems): no window would ever have enough")
    }
    if fewer == .hold, slide != nil {
      mapping["fewer"]?.report(
        "hold has no meaning with `sliding`; use `fewer: single`, or a window that does not slide")
    }
    minItems = MinItems(count: count, fewer: fewer)
  }

  /// Reports options beside a policy that they have no meaning with.
  static func reportMisplaced(in mapping: YAMLMapping, isCollecting: Bool, isSchedule: Bool) {
    for key in keys {
      if !isCollecting {
        mapping[key]?.report("has a meaning only with `policy: digest` or `policy: schedule`")
      } else if isSchedule, key == "sliding" || key == "maxWindow" {
        mapping[key]?.report("has a meaning only with `policy: digest`")
      }
    }
  }
}

extension [EventField] {
  /// Reads the value of a `key`: an attribute or a JSON pointer into the data, or a list of these.
  fileprivate init?(reading value: YAMLValue) {
    guard !value.isEmpty else {
      value.report(
        "names no field; write attributes or places in the data, such as [subject, /board/id], or remove the key"
      )
      return nil
    }
    let elements = value.elementsOrSelf()
    guard elements.count <= WindowOptions.maxKeyFields else {
      value.report("names \(elements.count) fields; at most \(WindowOptions.maxKeyFields) are allowed")
      return nil
    }
    self = []
    for element in elements {
      guard let field = EventField(reading: element) else { continue }
      if contains(field) { element.report("is given more than once; keep one of them") }
      append(field)
    }
  }
}

extension EventField {
  fileprivate init?(reading value: YAMLValue) {
    guard let text = value.text() else { return nil }
    if text.hasPrefix("/") {
      guard let pointer = JSONPointer(reading: value) else { return nil }
      self = .data(pointer)
      return
    }
    if let known = Self.attributes.first(where: { $0.key == text }) {
      self = known.value
      return
    }
    let names = Self.attributes.map(\.key)
    if text.hasPrefix("data.") {
      value.report(
        "is no attribute; a place in the data is a JSON pointer",
        suggestion: "/" + text.dropFirst(5).replacing(".", with: "/"))
    } else {
      value.report(
        "must be an attribute (\(names.joined(separator: ", "))) or a JSON pointer into the data such as "
          + "/board/id, but is \"\(text.prefix(60))\"", suggestion: NearestName.of(text, in: names))
    }
    return nil
  }
}

extension JSONPointer {
  /// Reads a pointer to a value in the data. What is wrong is reported to the document, and nil returned.
  fileprivate init?(reading value: YAMLValue) {
    guard let text = value.text() else { return nil }
    guard text.utf8.count <= CatalogLimits.nameBytes else {
      value.report(
        "has \(text.utf8.count) bytes; a JSON pointer may have \(CatalogLimits.nameBytes)")
      return nil
    }
    guard !text.isEmpty, let pointer = JSONPointer(text) else {
      value.report(
        "must be a JSON pointer into the data (RFC 6901) such as /board/id, with ~0 for ~ and ~1 for /, but is "
          + "\"\(text.prefix(60))\"", suggestion: text.hasPrefix("/") || text.isEmpty ? nil : "/" + text)
      return nil
    }
    self = pointer
  }
}

/// The value of `items`: how many a digest carries in full, and which.
struct ItemsDefinition: Equatable {
  var count = DigestRule.defaultItems
  var selection = ItemSelection.first

  /// The defaults.
  init() {}

  /// Reads a number, `{ first: n }`, `{ last: n }` or `{ top: n, by: POINTER }`. What is wrong is reported to the
  /// document, and nil returned.
  init?(reading value: YAMLValue) {
    if value.isText {
      guard let count = value.integer(in: DigestRule.itemBounds) else { return nil }
      self.count = count
      return
    }
    guard let mapping = value.mapping(keys: ["first", "last", "top", "by"]) else { return nil }
    let given = ["first", "last", "top"].filter { mapping[$0] != nil }
    guard given.count == 1, let name = given.first else {
      value.report("needs one of first, last and top, such as { last: 5 } or { top: 3, by: /votes }")
      return nil
    }
    let count = mapping[name]?.integer(in: DigestRule.itemBounds)
    if name != "top" { mapping["by"]?.report("has a meaning only with `top`") }
    switch name {
    case "last": selection = .last
    case "top":
      guard let by = mapping.required("by"), let pointer = JSONPointer(reading: by) else { return nil }
      selection = .top(pointer)
    default: selection = .first
    }
    guard let count else { return nil }
    self.count = count
  }
}
