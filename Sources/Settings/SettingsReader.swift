import Configuration
import Synchronization

/// The value in force of one setting: its text and where it came from.
struct EffectiveSetting: Sendable {
  let path: [String]
  /// The text; nil where the setting is not set. For a secret the mask.
  let text: String?
  let origin: SettingOrigin

  var name: String { path.joined(separator: ".") }
}

/// Layers the sources by swift-configuration and hands out typed values: flags over environment over file.
final class SettingsReader {
  private let sources: SettingSources
  private let reader: ConfigReader
  private let deciders = DecidingProviders()

  private(set) var effective: [EffectiveSetting] = []

  var warnings: [String] { sources.warnings }

  init(_ sources: SettingSources) {
    self.sources = sources
    let variables = sources.environment.map { (EnvironmentName.of($0.path), $0.text) }
    let providers: [any ConfigProvider] = [
      InMemoryProvider(name: "flags", values: SettingsReader.values(sources.flags)),
      EnvironmentVariablesProvider(
        environmentVariables: Dictionary(variables) { first, _ in first },
        secretsSpecifier: .all),
      InMemoryProvider(name: "file", values: SettingsReader.values(sources.file)),
    ]
    reader = ConfigReader(providers: providers, accessReporter: deciders).scoped(to: "tidings")
  }

  /// The value of a setting, from the source that has the last word.
  ///
  /// - Throws: `SettingsProblems` when the text is not a value of the setting.
  func value<Value>(_ key: SettingKey<Value>) throws(SettingsProblems) -> Value {
    let declaration = key.declaration
    guard let (text, origin) = text(declaration.path) else {
      effective.append(
        EffectiveSetting(path: declaration.path, text: declaration.defaultText, origin: .default))
      return key.defaultValue
    }
    effective.append(
      EffectiveSetting(
        path: declaration.path, text: declaration.isSecret ? Secret.mask : text, origin: origin))
    do throws(InvalidSetting) {
      return try key.parse(text)
    } catch {
      let problem = SettingsProblem(origin, declaration.name, error.message, suggestion: error.suggestion)
      throw SettingsProblems([problem])
    }
  }

  /// The properties of librdkafka that are not declared, from all sources.
  func kafkaProperties() -> [String: String] {
    let given = sources.file + sources.environment + sources.flags
    let declared = TidingsSettings.declarations.map(\.path)
    let paths = Set(given.map(\.path).filter { $0.first == "kafka" && !declared.contains($0) })
    var properties: [String: String] = [:]
    for path in paths.sorted(by: { $0.lexicographicallyPrecedes($1) }) {
      guard let property = path.last, let (text, origin) = text(path) else { continue }
      properties[property] = text
      let shown = KafkaSettings.isSecret(property) ? Secret.mask : text
      effective.append(EffectiveSetting(path: path, text: shown, origin: origin))
    }
    return properties
  }

  private func text(_ path: [String]) -> (text: String, origin: SettingOrigin)? {
    guard let text = reader.string(forKey: ConfigKey(path), isSecret: true) else { return nil }
    let given =
      switch deciders.last {
      case "InMemoryProvider[flags]": sources.flags
      case "InMemoryProvider[file]": sources.file
      default: sources.environment
      }
    return (text, given.first { $0.path == path }?.origin ?? .default)
  }

  /// All values are marked secret, since the library only carries them: what may be shown is decided here.
  private static func values(_ given: [GivenSetting]) -> [AbsoluteConfigKey: ConfigValue] {
    let pairs = given.map { setting in
      (AbsoluteConfigKey(["tidings"] + setting.path), ConfigValue(.string(setting.text), isSecret: true))
    }
    return Dictionary(pairs) { _, last in last }
  }
}

/// Remembers which provider answered the last look-up.
private final class DecidingProviders: AccessReporter {
  private let name = Mutex<String?>(nil)

  var last: String? { name.withLock { $0 } }

  func report(_ event: AccessEvent) {
    let decider = event.providerResults.first { result in
      if case .success(let lookup) = result.result { lookup.value != nil } else { false }
    }
    name.withLock { $0 = decider?.providerName }
  }
}
