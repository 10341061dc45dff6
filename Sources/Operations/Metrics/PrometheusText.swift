/// A writer of the Prometheus text exposition format, version 0.0.4.
struct PrometheusText {
  /// The media type of the format, for the `Content-Type` header.
  static let contentType = "text/plain; version=0.0.4; charset=utf-8"

  private(set) var output = ""

  /// Appends a metric with all its series; one without a series is left out.
  mutating func append(_ family: MetricFamily) {
    let all = family.sorted()
    guard !all.isEmpty else { return }
    let declaration = family.declaration
    output += "# HELP \(declaration.name) \(Self.escapedHelp(declaration.help))\n"
    output += "# TYPE \(declaration.name) \(declaration.kind.name)\n"
    for (values, series) in all {
      let labels = zip(declaration.labels, values).map { "\($0)=\"\(Self.escaped($1))\"" }
      switch series {
      case let counter as CounterSeries: append(declaration.name, labels, counter.value)
      case let gauge as GaugeSeries: append(declaration.name, labels, gauge.value)
      case let histogram as HistogramSeries: append(declaration.name, labels, histogram)
      default: continue
      }
    }
  }

  private mutating func append(_ name: String, _ labels: [String], _ histogram: HistogramSeries) {
    let (counts, sum) = histogram.snapshot
    var cumulative: UInt64 = 0
    for (index, count) in counts.enumerated() {
      cumulative += count
      let bound = index < histogram.bounds.count ? histogram.bounds[index] : .infinity
      append(name + "_bucket", labels + ["le=\"\(Self.number(bound))\""], Double(cumulative))
    }
    append(name + "_sum", labels, sum)
    // The sum of the buckets, not a counter of its own: the two must agree within one scrape.
    append(name + "_count", labels, Double(cumulative))
  }

  private mutating func append(_ name: String, _ labels: [String], _ value: Double) {
    output += name
    if !labels.isEmpty { output += "{" + labels.joined(separator: ",") + "}" }
    output += " " + Self.number(value) + "\n"
  }

  /// A number as the format writes it: whole ones without a point, `+Inf`, `-Inf`, `NaN`.
  static func number(_ value: Double) -> String {
    if value.isNaN { return "NaN" }
    if value.isInfinite { return value > 0 ? "+Inf" : "-Inf" }
    if value == value.rounded(), abs(value) < 1e15 { return String(Int64(value)) }
    return "\(value)"
  }

  /// A label's value with backslash, quote and line feed escaped.
  static func escaped(_ text: String) -> String { escaped(text, quotes: true) }

  private static func escapedHelp(_ text: String) -> String { escaped(text, quotes: false) }

  private static func escaped(_ text: String, quotes: Bool) -> String {
    // By scalars: a carriage return and a line feed are one character of a Swift string.
    var result = String.UnicodeScalarView()
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\\": result.append(contentsOf: "\\\\".unicodeScalars)
      case "\n": result.append(contentsOf: "\\n".unicodeScalars)
      case "\"" where quotes: result.append(contentsOf: "\\\"".unicodeScalars)
      default: result.append(scalar)
      }
    }
    return String(result)
  }
}
