/// What is declared of a setting, whatever its type: enough for the checks, `tidings config` and the reference page.
public struct SettingDeclaration: Sendable {
  /// The keys from the root of the file: `["processor", "commitInterval"]`.
  public let path: [String]
  /// What the setting does, in sentences; Markdown.
  public let documentation: String
  /// The type and the bounds in words.
  public let format: String
  /// The text of the default; nil where the setting is not set by default.
  public let defaultText: String?
  /// Whether the value is never shown.
  public let isSecret: Bool

  /// Says what is wrong with a text, or nothing.
  let check: @Sendable (String) -> InvalidSetting?

  /// The path as it is written in flags and problems: `processor.commitInterval`.
  public var name: String { path.joined(separator: ".") }

  /// The environment variable: `TIDINGS_PROCESSOR_COMMIT_INTERVAL`.
  public var environmentVariable: String { EnvironmentName.of(path) }
}

/// One setting: declared once, here, with everything that the program and its documentation say of it.
///
/// The value is optional where the setting has no default.
public struct SettingKey<Value: Sendable>: Sendable {
  /// What is declared.
  public let declaration: SettingDeclaration

  let defaultValue: Value
  let parse: @Sendable (String) throws(InvalidSetting) -> Value

  /// A setting with a default.
  init(_ path: String..., default value: Value, _ format: SettingFormat<Value>, _ documentation: String) {
    let parse = format.parse
    self.defaultValue = value
    self.parse = parse
    self.declaration = SettingDeclaration(
      path: path, documentation: documentation, format: format.summary, defaultText: format.print(value),
      isSecret: false, check: { text in problem(of: text, parse) })
  }

  /// A setting that is not set by default.
  init<Wrapped>(
    optional path: String..., format: SettingFormat<Wrapped>, _ documentation: String
  ) where Value == Wrapped? {
    let parse = format.parse
    self.defaultValue = nil
    self.parse = { text throws(InvalidSetting) in try parse(text) }
    self.declaration = SettingDeclaration(
      path: path, documentation: documentation, format: format.summary, defaultText: nil,
      isSecret: Wrapped.self == Secret.self, check: { text in problem(of: text, parse) })
  }
}

private func problem<Value>(
  of text: String, _ parse: (String) throws(InvalidSetting) -> Value
) -> InvalidSetting? {
  do throws(InvalidSetting) {
    _ = try parse(text)
    return nil
  } catch {
    return error
  }
}

/// The names of environment variables, as swift-configuration forms them from keys below `tidings`.
enum EnvironmentName {
  static let prefix = "TIDINGS_"

  /// A capital inside a key begins a word; words and keys are joined by underscores, and so is what is no letter
  /// or digit.
  static func of(_ path: [String]) -> String {
    prefix + path.map(word).joined(separator: "_")
  }

  static func word(_ key: String) -> String {
    var text = ""
    var previousIsLower = false
    for character in key {
      if previousIsLower, character.isUppercase { text += "_" }
      previousIsLower = character.isLowercase
      text += character.isLetter || character.isNumber ? character.uppercased() : "_"
    }
    return text
  }
}
