import MarkedYAML

/// The text of one setting in one source.
struct GivenSetting {
  let path: [String]
  let text: String
  let origin: SettingOrigin

  var name: String { path.joined(separator: ".") }
}

/// What file, environment and command line give, each value checked against its declaration.
struct SettingSources {
  /// The variable that names the configuration file; it is no setting.
  static let fileVariable = "TIDINGS_CONFIG"

  private(set) var file: [GivenSetting] = []
  private(set) var environment: [GivenSetting] = []
  private(set) var flags: [GivenSetting] = []
  private(set) var warnings: [String] = []
  private var problems: [SettingsProblem] = []

  init(
    file: String?, environment: [String: String], overrides: [SettingOverride],
    kafkaRefusal: (_ property: String, _ value: String) -> String?
  ) throws(SettingsProblems) {
    if let file { readFile(file) }
    for override in overrides { read(override) }
    readEnvironment(environment)
    for given in self.file + self.environment + self.flags { check(given, kafkaRefusal) }
    guard problems.isEmpty else { throw SettingsProblems(problems) }
  }

  private func declaration(of path: [String]) -> SettingDeclaration? {
    TidingsSettings.declarations.first { $0.path == path }
  }

  /// Whether a path is a property of librdkafka, declared or not.
  private func isKafkaProperty(_ path: [String]) -> Bool {
    path.count == 2 && path.first == "kafka"
  }

  private mutating func check(
    _ given: GivenSetting, _ kafkaRefusal: (_ property: String, _ value: String) -> String?
  ) {
    guard let declaration = declaration(of: given.path) else {
      guard isKafkaProperty(given.path), let property = given.path.last else { return }
      if let refusal = given.text.isEmpty ? "is empty" : kafkaRefusal(property, given.text) {
        problems.append(SettingsProblem(given.origin, given.name, refusal))
      }
      return
    }
    guard let invalid = declaration.check(given.text) else { return }
    var message = invalid.message
    if case .environment = given.origin, given.text.hasPrefix("tcp://") {
      // Kubernetes sets such variables for a service of the name tidings-inbox.
      message += "; if Kubernetes set the variable for a service, set enableServiceLinks: false in the pod"
    }
    problems.append(SettingsProblem(given.origin, given.name, message, suggestion: invalid.suggestion))
  }
}

// MARK: - The file

extension SettingSources {
  private mutating func readFile(_ file: String) {
    do throws(YAMLProblems) {
      let document = try YAMLDocument(contentsOf: file)
      if let root = document.root, !root.isEmpty { read(root, []) }
      try document.finish()
    } catch {
      problems += error.problems.map { problem in
        SettingsProblem(
          .file(problem.file, line: problem.line, column: problem.column),
          problem.path.joined(separator: "."), problem.message, suggestion: problem.suggestion)
      }
    }
  }

  private mutating func read(_ value: YAMLValue, _ path: [String]) {
    guard path != ["kafka"] else {
      for entry in value.mapping()?.entries ?? [] { readScalar(entry.value, path + [entry.key]) }
      return
    }
    let below = TidingsSettings.declarations.filter { $0.path.starts(with: path) }.map { $0.path[path.count] }
    let keys = below.enumerated().filter { below.firstIndex(of: $0.element) == $0.offset }.map(\.element)
    for entry in value.mapping(keys: keys)?.entries ?? [] {
      let entryPath = path + [entry.key]
      if declaration(of: entryPath) != nil {
        readScalar(entry.value, entryPath)
      } else if !entry.value.isNull {
        read(entry.value, entryPath)
      }
    }
  }

  /// A value, unless the key is there without one: then it is as if the key were not.
  private mutating func readScalar(_ value: YAMLValue, _ path: [String]) {
    guard !value.isNull, let text = value.text() else { return }
    let origin = SettingOrigin.file(value.file, line: value.line, column: value.column)
    file.append(GivenSetting(path: path, text: text, origin: origin))
  }
}

// MARK: - Command line and environment

extension SettingSources {
  private mutating func read(_ override: SettingOverride) {
    let path = SettingSources.path(of: override.key)
    guard declaration(of: path) != nil || isKafkaProperty(path) else {
      let names = TidingsSettings.declarations.map(\.name)
      let suggestion = NearestName.of(override.key, in: names)
      let message = "is not a known setting" + (suggestion == nil ? "; `tidings config` lists them" : "")
      problems.append(SettingsProblem(.flag(override.flag), override.key, message, suggestion: suggestion))
      return
    }
    flags.removeAll { $0.path == path }
    flags.append(GivenSetting(path: path, text: override.value, origin: .flag(override.flag)))
  }

  /// The path of a dotted key. What follows `kafka.` is one name, dots and all.
  private static func path(of key: String) -> [String] {
    let parts = key.split(separator: ".", omittingEmptySubsequences: false).map(String.init)
    guard parts.count > 2, parts.first == "kafka" else { return parts }
    return ["kafka", parts.dropFirst().joined(separator: ".")]
  }

  /// A variable that is set but empty counts as not set, as Docker Compose leaves it.
  private mutating func readEnvironment(_ variables: [String: String]) {
    let declared = TidingsSettings.declarations.map { ($0.environmentVariable, $0.path) }
    let properties = (file + flags).filter { isKafkaProperty($0.path) }
      .map { (EnvironmentName.of($0.path), $0.path) }
    let known = Dictionary(declared + properties) { first, _ in first }
    let kafkaPrefix = EnvironmentName.prefix + "KAFKA_"
    var hasServiceLinks = false
    for (name, text) in variables.sorted(by: { $0.key < $1.key }) {
      guard name.hasPrefix(EnvironmentName.prefix), name != SettingSources.fileVariable, !text.isEmpty else {
        continue
      }
      if let path = known[name] {
        environment.append(GivenSetting(path: path, text: text, origin: .environment(name)))
      } else if name.hasPrefix(kafkaPrefix), Self.isServiceLink(name.dropFirst(kafkaPrefix.count), text) {
        hasServiceLinks = true
      } else if name.hasPrefix(kafkaPrefix), name.count > kafkaPrefix.count {
        let property = name.dropFirst(kafkaPrefix.count).lowercased().replacing("_", with: ".")
        environment.append(
          GivenSetting(path: ["kafka", property], text: text, origin: .environment(name)))
      } else {
        let question = NearestName.of(name, in: known.keys.sorted()).map { " (did you mean \($0)?)" } ?? ""
        warnings.append(
          "the environment variable \(name) is not a known setting and has no effect\(question)")
      }
    }
    guard hasServiceLinks else { return }
    warnings.append(
      "the environment variables \(kafkaPrefix)SERVICE_… and \(kafkaPrefix)PORT… have no effect: Kubernetes sets them for "
        + "services whose names begin with tidings-kafka; set enableServiceLinks: false in the pod to be rid of them"
    )
  }

  /// Whether a variable is one of those that Kubernetes sets in every pod for a service, by what follows the beginning of
  /// the service's name: `tidings-kafka-bootstrap` has some, too.
  private static func isServiceLink(_ name: Substring, _ text: String) -> Bool {
    let isOne =
      name.wholeMatch(of: /(.+_)?(SERVICE_HOST|SERVICE_PORT(_.+)?|PORT_[0-9]+_(TCP|UDP|SCTP)(_.+)?)/) != nil
    return isOne || name.wholeMatch(of: /(.+_)?PORT/) != nil && text.contains("://")
  }
}
