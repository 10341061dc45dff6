/// What a metric is: its name, its kind, its labels and what it tells.
///
/// Every metric of Tidings is declared once, in ``MetricCatalogue``; the exposition and `docs/metrics.md` are
/// made from the declaration.
public struct MetricDeclaration: Sendable, Hashable {
  /// How a metric counts.
  public enum Kind: Sendable, Hashable {
    /// A number that only grows while the process lives. Its name ends in `_total`.
    case counter
    /// A number that goes up and down.
    case gauge
    /// Observations counted in cumulative buckets.
    ///
    /// - Parameter buckets: the upper bounds, ascending and in the unit of the metric, without the last one
    ///   (+Inf).
    case histogram(buckets: [Double])

    /// The word of the exposition format for the kind.
    public var name: String {
      switch self {
      case .counter: "counter"
      case .gauge: "gauge"
      case .histogram: "histogram"
      }
    }
  }

  /// The full name, in snake case, with its unit (`tidings_transaction_seconds`).
  public let name: String
  /// How it counts.
  public let kind: Kind
  /// What one step of the value is: `seconds`, `records`, `ratio`.
  public let unit: String
  /// The names of its labels, in the order of the exposition.
  public let labels: [String]
  /// What the value means, in one sentence.
  public let help: String

  /// A declaration.
  public init(_ name: String, _ kind: Kind, unit: String, labels: [String] = [], help: String) {
    self.name = name
    self.kind = kind
    self.unit = unit
    self.labels = labels
    self.help = help
  }
}

extension MetricDeclaration {
  /// The declaration of a metric that nobody declared, as libraries make them.
  ///
  /// The name is brought into the form of the exposition format: letters, digits, underscores and colons, not
  /// beginning with a digit, counters with `_total`.
  init(undeclared label: String, kind: Kind, labels: [String]) {
    var name = ""
    for character in label.unicodeScalars {
      let isLetter = ("a"..."z").contains(character) || ("A"..."Z").contains(character)
      let isDigit = ("0"..."9").contains(character)
      name.unicodeScalars.append(
        isLetter || isDigit || character == "_" || character == ":" ? character : "_")
    }
    if name.isEmpty || name.first?.isNumber == true { name = "_" + name }
    if kind == .counter, !name.hasSuffix("_total") { name += "_total" }
    self.init(
      name, kind, unit: "", labels: labels.map(Self.labelName),
      help: "Not declared in the catalogue; recorded as \(label).")
  }

  /// A label's name in the form of the exposition format: letters, digits and underscores.
  static func labelName(_ text: String) -> String {
    let name = String(text.map { $0.isASCII && ($0.isLetter || $0.isNumber) || $0 == "_" ? $0 : "_" })
    return name.first?.isNumber ?? true ? "_" + name : name
  }
}
