import Yams

/// One value of a document with its place: what a reader takes typed values from.
///
/// Every typed reader returns nil after it has reported to the document why, so that `guard let` means
/// "said already".
public struct YAMLValue {
  let node: Node
  let document: YAMLDocument

  /// The keys and indices from the root to this value.
  public let path: [String]

  init(node: Node, path: [String], document: YAMLDocument) {
    self.node = node
    self.path = path
    self.document = document
  }

  /// The line, counted from 1.
  public var line: Int { node.mark?.line ?? 1 }
  /// The column in Unicode scalars, counted from 1.
  public var column: Int { node.mark?.column ?? 1 }
  /// The file as the user named it.
  public var file: String { document.file }

  /// Whether the value is an explicit `null`, `~`, or left out after its key.
  public var isNull: Bool {
    guard case .scalar(let scalar) = node, scalar.style == .plain else { return false }
    return ["", "~", "null", "Null", "NULL"].contains(scalar.string)
  }

  /// Whether there is nothing in it: null, a mapping without keys, a list without elements.
  public var isEmpty: Bool {
    switch node {
    case .mapping(let mapping): mapping.isEmpty
    case .sequence(let sequence): sequence.isEmpty
    case .scalar, .alias: isNull
    }
  }

  /// Notes a problem of this value and goes on.
  public func report(_ message: String, suggestion: String? = nil) {
    document.report(problem(message, suggestion: suggestion))
  }

  /// A problem at the place of this value.
  public func problem(_ message: String, suggestion: String? = nil) -> YAMLProblem {
    YAMLProblem(
      file: file, line: line, column: column, path: path, message: message, suggestion: suggestion)
  }

  /// The text of a scalar; numbers and truth values as they are written.
  public func text() -> String? {
    guard case .scalar(let scalar) = node, !isNull else {
      report("must be a text, but is \(kind)")
      return nil
    }
    return scalar.string
  }

  /// `true` or `false`.
  public func boolean() -> Bool? {
    choice(of: ["true": true, "false": false])
  }

  /// A whole number within bounds.
  public func integer(in bounds: ClosedRange<Int>) -> Int? {
    guard let text = text() else { return nil }
    guard let number = Int(text) else {
      report("must be a whole number, but is \"\(text)\"")
      return nil
    }
    return within(bounds, number, text, "\(bounds.lowerBound)", "\(bounds.upperBound)")
  }

  /// A duration such as `5s` (see `DurationText`) within bounds.
  public func duration(in bounds: ClosedRange<Duration>) -> Duration? {
    guard let text = text() else { return nil }
    do throws(QuantityError) {
      let duration = try DurationText.parse(text)
      let (low, high) = (DurationText.format(bounds.lowerBound), DurationText.format(bounds.upperBound))
      return within(bounds, duration, text, low, high)
    } catch {
      report(error.description)
      return nil
    }
  }

  /// A size such as `256KiB` (see `ByteSizeText`) within bounds, in bytes.
  public func byteSize(in bounds: ClosedRange<Int>) -> Int? {
    guard let text = text() else { return nil }
    do throws(QuantityError) {
      let bytes = try ByteSizeText.parse(text)
      let (low, high) = (ByteSizeText.format(bounds.lowerBound), ByteSizeText.format(bounds.upperBound))
      return within(bounds, bytes, text, low, high)
    } catch {
      report(error.description)
      return nil
    }
  }

  /// One of a few names.
  public func choice<Choice>(of choices: KeyValuePairs<String, Choice>) -> Choice? {
    choice(among: choices.map { (name: $0.key, choice: $0.value) })
  }

  /// One of the cases of a type, by its name.
  public func choice<Choice: CaseIterable>(named name: (Choice) -> String) -> Choice? {
    choice(among: Choice.allCases.map { (name: name($0), choice: $0) })
  }

  /// One of several values, by the names that are listed with them.
  public func choice<Choice>(among choices: [(name: String, choice: Choice)]) -> Choice? {
    guard let text = text() else { return nil }
    if let found = choices.first(where: { $0.name == text }) { return found.choice }
    let names = choices.map(\.name)
    report(
      "must be \(names.joined(separator: " or ")), but is \"\(text)\"",
      suggestion: NearestName.of(text, in: names))
    return nil
  }

  /// The elements of a sequence; the path of each ends with its index.
  public func elements() -> [YAMLValue]? {
    guard case .sequence(let sequence) = node else {
      report("must be a list, but is \(kind)")
      return nil
    }
    return sequence.enumerated().map {
      YAMLValue(node: $0.element, path: path + ["\($0.offset)"], document: document)
    }
  }

  /// What the value is, in words for a problem.
  var kind: String {
    switch node {
    case .scalar(let scalar): isNull ? "empty" : "the text \"\(scalar.string.prefix(60))\""
    case .mapping: "a mapping"
    case .sequence: "a list"
    case .alias: "an alias"
    }
  }

  private func within<Bound: Comparable>(
    _ bounds: ClosedRange<Bound>, _ value: Bound, _ text: String, _ low: String, _ high: String
  ) -> Bound? {
    guard bounds.contains(value) else {
      report("must be from \(low) to \(high), but is \(text)")
      return nil
    }
    return value
  }
}
