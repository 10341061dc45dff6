/// Where the value of a setting came from.
public enum SettingOrigin: Hashable, Sendable, CustomStringConvertible {
  /// Nobody gave one.
  case `default`
  /// The configuration file, with line and column from 1.
  case file(String, line: Int, column: Int)
  /// An environment variable.
  case environment(String)
  /// A flag of the command line, as the user knows it.
  case flag(String)

  /// `default`, `tidings.yaml:3:5`, `TIDINGS_LOG_LEVEL`, `--set log.level`.
  public var description: String {
    switch self {
    case .default: "default"
    case .file(let file, let line, let column): "\(file):\(line):\(column)"
    case .environment(let name): name
    case .flag(let flag): flag
    }
  }
}

extension SettingOrigin: Comparable {
  private var rank: (layer: Int, line: Int, column: Int) {
    switch self {
    case .default: (0, 0, 0)
    case .file(_, let line, let column): (1, line, column)
    case .environment: (2, 0, 0)
    case .flag: (3, 0, 0)
    }
  }

  /// Orders by layer, the weakest first; within the file by place.
  public static func < (left: SettingOrigin, right: SettingOrigin) -> Bool { left.rank < right.rank }
}

/// One thing that is wrong with the configuration: where it was said, which setting it is, and what is allowed.
public struct SettingsProblem: Error, Hashable, Sendable, CustomStringConvertible {
  /// Where the wrong value was given.
  public let origin: SettingOrigin
  /// The setting, such as `processor.workers`; empty where the problem is that of a whole file.
  public let key: String
  /// What is wrong and what is allowed, as a sentence without a full stop.
  public let message: String
  /// What was probably meant.
  public let suggestion: String?

  init(_ origin: SettingOrigin, _ key: String, _ message: String, suggestion: String? = nil) {
    self.origin = origin
    self.key = key
    self.message = message
    self.suggestion = suggestion
  }

  /// `tidings.yaml:3:5: processor.workers: must be from 1 to 64, but is 0`.
  public var description: String {
    let setting = key.isEmpty ? "" : key + ": "
    let question = suggestion.map { " (did you mean \"\($0)\"?)" } ?? ""
    return "\(origin): \(setting)\(message)\(question)"
  }
}

/// Everything that is wrong with the configuration: the file first, then the environment, then the flags.
public struct SettingsProblems: Error, Equatable, Sendable, CustomStringConvertible {
  /// The problems, at least one.
  public let problems: [SettingsProblem]

  /// The problems, put in order.
  init(_ problems: [SettingsProblem]) {
    self.problems = problems.enumerated().sorted {
      $0.element.origin < $1.element.origin
        || !($1.element.origin < $0.element.origin) && $0.offset < $1.offset
    }.map(\.element)
  }

  /// One line per problem.
  public var description: String { problems.map(\.description).joined(separator: "\n") }
}

/// A value from the command line, over file and environment.
public struct SettingOverride: Equatable, Sendable {
  /// The setting, such as `processor.workers`.
  public let key: String
  /// The text of the value.
  public let value: String
  /// The flag as the user knows it, for problems and `tidings config`; without the value, which may be a secret.
  public let flag: String

  /// The value of a flag of its own, such as `--workers`.
  public init(key: String, value: String, flag: String) {
    self.key = key
    self.value = value
    self.flag = flag
  }

  /// The argument of `--set`: `key=value`. The key ends at the first equals sign.
  ///
  /// - Throws: `SettingsProblems` when there is no equals sign or no key.
  public init(argument: String) throws(SettingsProblems) {
    let parts = argument.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
    guard parts.count == 2, let key = parts.first, let value = parts.last, !key.isEmpty else {
      let problem = SettingsProblem(
        .flag("--set"), "", "needs key=value, such as processor.workers=2, but is \"\(argument)\"")
      throw SettingsProblems([problem])
    }
    self.init(key: String(key), value: String(value), flag: "--set \(key)")
  }
}
