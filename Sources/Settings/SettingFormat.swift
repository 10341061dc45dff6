import MarkedYAML

/// Why a text is not a value of its setting: a sentence without a full stop, and what was probably meant.
public struct InvalidSetting: Error, Equatable, Sendable {
  /// The sentence: what is allowed and what was found. It never holds the text of a secret.
  public let message: String
  /// The nearest allowed text, if one is near.
  public var suggestion: String?
}

/// How the values of a setting are written: its type, its bounds, and both directions between value and text.
///
/// Text is the form that all sources share: a scalar of the file, an environment variable, a flag.
public struct SettingFormat<Value: Sendable>: Sendable {
  /// The type and the bounds in words, for the reference page: `duration, 20ms to 5s`.
  public let summary: String
  /// Reads a text. It throws what is wrong with it.
  let parse: @Sendable (String) throws(InvalidSetting) -> Value
  /// The text of a value.
  let print: @Sendable (Value) -> String
}

extension SettingFormat where Value == Int {
  /// A whole number.
  static func integer(_ bounds: ClosedRange<Int>) -> SettingFormat {
    SettingFormat(summary: "whole number, \(bounds.lowerBound) to \(bounds.upperBound)") {
      text throws(InvalidSetting) in
      guard let number = Int(text) else {
        throw InvalidSetting(message: "must be a whole number, but is \"\(text)\"")
      }
      return try within(bounds, number, text, "\(bounds.lowerBound)", "\(bounds.upperBound)")
    } print: {
      "\($0)"
    }
  }

  /// A size in bytes, written with its unit.
  static func byteSize(_ bounds: ClosedRange<Int>) -> SettingFormat {
    let (low, high) = (ByteSizeText.format(bounds.lowerBound), ByteSizeText.format(bounds.upperBound))
    return SettingFormat(summary: "size, \(low) to \(high)") { text throws(InvalidSetting) in
      let bytes: Int
      do throws(QuantityError) {
        bytes = try ByteSizeText.parse(text)
      } catch {
        throw InvalidSetting(message: error.description)
      }
      return try within(bounds, bytes, text, low, high)
    } print: {
      ByteSizeText.format($0)
    }
  }
}

extension SettingFormat where Value == Duration {
  /// A duration, written with its unit.
  static func duration(_ bounds: ClosedRange<Duration>) -> SettingFormat {
    let (low, high) = (DurationText.format(bounds.lowerBound), DurationText.format(bounds.upperBound))
    return SettingFormat(summary: "duration, \(low) to \(high)") { text throws(InvalidSetting) in
      let duration: Duration
      do throws(QuantityError) {
        duration = try DurationText.parse(text)
      } catch {
        throw InvalidSetting(message: error.description)
      }
      return try within(bounds, duration, text, low, high)
    } print: {
      DurationText.format($0)
    }
  }
}

extension SettingFormat where Value == String {
  /// A text of 1 to 4,096 bytes without control characters; `requirement` may add a rule, in words and as a test.
  static func text(
    _ summary: String, requirement: String? = nil,
    allows: @escaping @Sendable (String) -> Bool = { _ in true }
  ) -> SettingFormat {
    SettingFormat(summary: requirement.map { "\(summary), \($0)" } ?? summary) {
      text throws(InvalidSetting) in
      try checkText(text)
      guard allows(text) else {
        throw InvalidSetting(message: "must be \(requirement ?? summary), but is \"\(text)\"")
      }
      return text
    } print: {
      $0
    }
  }

  /// The name or address of a host.
  static var host: SettingFormat {
    .text("host name or address", requirement: "without port and spaces") { text in
      !text.contains { $0.isWhitespace || $0 == "/" }
    }
  }
}

extension SettingFormat where Value == Secret {
  /// A text that is never shown, of 1 to 4,096 bytes without control characters.
  static var secret: SettingFormat {
    SettingFormat(summary: "secret text") { text throws(InvalidSetting) in
      try checkText(text)
      return Secret(text)
    } print: { _ in
      Secret.mask
    }
  }
}

extension SettingFormat where Value: CaseIterable & RawRepresentable, Value.RawValue == String {
  /// One of a few names.
  static var choice: SettingFormat {
    let names = Value.allCases.map(\.rawValue)
    let list = names.joined(separator: ", ")
    return SettingFormat(summary: "one of \(list)") { text throws(InvalidSetting) in
      guard let value = Value(rawValue: text) else {
        throw InvalidSetting(
          message: "must be one of \(list), but is \"\(text)\"", suggestion: NearestName.of(text, in: names))
      }
      return value
    } print: {
      $0.rawValue
    }
  }
}

private func within<Bound: Comparable>(
  _ bounds: ClosedRange<Bound>, _ value: Bound, _ text: String, _ low: String, _ high: String
) throws(InvalidSetting) -> Bound {
  guard bounds.contains(value) else {
    throw InvalidSetting(message: "must be from \(low) to \(high), but is \(text)")
  }
  return value
}

private func checkText(_ text: String) throws(InvalidSetting) {
  guard (1...4_096).contains(text.utf8.count) else {
    throw InvalidSetting(message: "must have 1 to 4096 bytes, but has \(text.utf8.count)")
  }
  guard !text.unicodeScalars.contains(where: { $0.properties.generalCategory == .control }) else {
    throw InvalidSetting(message: "must not hold control characters")
  }
}
