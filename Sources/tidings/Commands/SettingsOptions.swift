import ArgumentParser
import Kafka
import Logging
import Operations
import Settings

/// The flags by which every command finds its configuration.
struct SettingsOptions: ParsableArguments {
  @Option(
    name: .long,
    help: ArgumentHelp(
      "The configuration file; else that of TIDINGS_CONFIG, else tidings.yaml if it is here.",
      valueName: "file"))
  var config: String?

  @Option(
    name: .customLong("set"), parsing: .singleValue,
    help: ArgumentHelp(
      "A setting over file and environment; `tidings config` lists them.", valueName: "key=value"))
  var overrides: [String] = []

  /// Reads and checks everything.
  ///
  /// - Throws: `SettingsProblems` with all that is wrong.
  func load() throws -> TidingsSettings {
    try TidingsSettings.load(
      file: TidingsSettings.locateFile(flag: config),
      overrides: try overrides.map { try SettingOverride(argument: $0) },
      kafkaRefusal: ClientConfiguration.refusal)
  }

  /// Reads and checks everything, and lets all loggers of the process write as it says. Once per process.
  func loadWithLogging() throws -> TidingsSettings {
    let settings = try load()
    settings.log.bootstrap()
    for warning in settings.warnings { Logger(label: "tidings.settings").warning("\(warning)") }
    return settings
  }
}

extension LogSettings {
  /// Makes every logger of the process write lines of this form and level.
  func bootstrap() {
    let format: Operations.LogFormat = format == .json ? .json : .text
    format.bootstrap(level: Logger.Level(rawValue: level.rawValue) ?? .info)
  }
}

extension TidingsSettings {
  /// The cluster that the section `kafka` describes. Connects to nothing yet.
  ///
  /// - Throws: `KafkaError` naming the property that is refused.
  func makeCluster(clientID: String) throws -> LibrdkafkaCluster {
    do {
      return try LibrdkafkaCluster(
        ClientConfiguration(
          bootstrapServers: kafka.bootstrapServers, clientID: clientID, properties: kafka.properties,
          logger: Logger(label: "tidings.kafka")))
    } catch {
      throw CommandEnd(.usage, "the section kafka of the configuration: \(error)")
    }
  }
}
