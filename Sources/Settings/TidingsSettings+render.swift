import MarkedYAML

extension TidingsSettings {
  /// The settings in force as a commented configuration file: what `tidings config` prints.
  ///
  /// Every setting stands there with its documentation, bounds, default and the place that decided it; what is not
  /// set and what is secret stands in comments. Read as a configuration file, it gives the same settings, secrets
  /// apart.
  public func render() -> String {
    var lines: [String] = []
    var open: [String] = []
    for setting in inFileOrder {
      let section = Array(setting.path.dropLast())
      let shared = zip(open, section).prefix { $0 == $1 }.count
      for depth in shared..<section.count {
        if depth == 0, !lines.isEmpty { lines.append("") }
        lines.append(TidingsSettings.indentation(depth) + "\(section[depth]):")
      }
      open = section
      lines += TidingsSettings.lines(of: setting)
    }
    return lines.joined(separator: "\n") + "\n"
  }

  /// The settings section by section: properties of librdkafka stand with the declared one.
  private var inFileOrder: [EffectiveSetting] {
    let kafka = effective.filter { $0.path.first == "kafka" }
    return kafka
      + effective.filter { $0.path.first != "kafka" }
      .sorted { TidingsSettings.position(of: $0.path) < TidingsSettings.position(of: $1.path) }
  }

  private static func position(of path: [String]) -> Int {
    declarations.firstIndex { $0.path == path } ?? declarations.count
  }

  private static func lines(of setting: EffectiveSetting) -> [String] {
    let indentation = indentation(setting.path.count - 1)
    let declaration = declarations.first { $0.path == setting.path }
    var lines: [String] = []
    if let declaration {
      let defaultText = declaration.defaultText.map { "default \($0)" } ?? "not set by default"
      let text = "\(declaration.documentation) (\(declaration.format); \(defaultText))"
      lines += wrapped(text, width: 100 - indentation.count).map { "\(indentation)# \($0)" }
    }
    let key = quoted(setting.path.last ?? "")
    let isSecret = declaration?.isSecret ?? KafkaSettings.isSecret(setting.path.last ?? "")
    switch setting.text {
    case .none:
      lines.append("\(indentation)# \(key):")
    case .some where isSecret:
      lines.append("\(indentation)# \(key): \(Secret.mask)  # \(setting.origin)")
    case .some(let text):
      lines.append("\(indentation)\(key): \(quoted(text))  # \(setting.origin)")
    }
    return lines
  }

  private static func indentation(_ depth: Int) -> String { String(repeating: "  ", count: depth) }

  /// A scalar that YAML reads back as the same text: plain where that is certain, else in double quotes.
  private static func quoted(_ text: String) -> String {
    let isPlain =
      text.first.map { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "/") } == true
      && text.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || "._-/@".contains($0)) }
      && !["null", "Null", "NULL"].contains(text)
    guard !isPlain else { return text }
    return "\"\(text.unicodeScalars.map(escaped).joined())\""
  }

  /// A character within double quotes: what YAML would fold or refuse is escaped (YAML 1.2, 5.7).
  private static func escaped(_ scalar: Unicode.Scalar) -> String {
    switch scalar {
    case "\\", "\"": return "\\\(scalar)"
    case "\n": return "\\n"
    case "\r": return "\\r"
    case "\t": return "\\t"
    case "\u{0}"..<" ", "\u{7f}"..."\u{9f}", "\u{2028}", "\u{2029}", "\u{feff}", "\u{fffe}"..."\u{ffff}":
      let digits = String(scalar.value, radix: 16)
      return "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
    default: return String(scalar)
    }
  }

  static func wrapped(_ text: String, width: Int) -> [String] {
    var lines: [String] = []
    for word in text.split(separator: " ") {
      if let last = lines.last, last.count + 1 + word.count <= width {
        lines[lines.count - 1] = "\(last) \(word)"
      } else {
        lines.append(String(word))
      }
    }
    return lines
  }
}
