import Foundation

/// The whole configuration of a process: read once at the start, checked, and passed in parts to those it concerns.
public struct TidingsSettings: Sendable {
  /// The connection to Kafka.
  public var kafka: KafkaSettings
  /// The topics.
  public var topics: TopicSettings
  /// The stream processor.
  public var processor: ProcessorSettings
  /// The email sink.
  public var email: EmailSettings
  /// The inbox.
  public var inbox: InboxSettings
  /// Metrics and health.
  public var metrics: MetricsSettings
  /// The log.
  public var log: LogSettings

  /// What is allowed but probably not meant, to be logged at the start.
  public let warnings: [String]

  let effective: [EffectiveSetting]

  /// Every setting, in the order of the reference page. Properties of librdkafka beyond these are passed on.
  public static let declarations: [SettingDeclaration] = [
    KafkaSettings.bootstrapServers.declaration,
    TopicSettings.prefix.declaration,
    TopicSettings.partitions.declaration,
    TopicSettings.replicationFactor.declaration,
    ProcessorSettings.workers.declaration,
    ProcessorSettings.instance.declaration,
    ProcessorSettings.catalog.declaration,
    ProcessorSettings.timeZone.declaration,
    ProcessorSettings.commitInterval.declaration,
    ProcessorSettings.maxBatchRecords.declaration,
    ProcessorSettings.maxBatchBytes.declaration,
    ProcessorSettings.dedupHorizon.declaration,
    ProcessorSettings.recordLimit.declaration,
    ProcessorSettings.heartbeatInterval.declaration,
    ProcessorSettings.stateDirectory.declaration,
    ProcessorSettings.snapshotInterval.declaration,
    EmailSettings.transport.declaration,
    EmailSettings.from.declaration,
    EmailSettings.concurrency.declaration,
    EmailSettings.timeout.declaration,
    EmailSettings.host.declaration,
    EmailSettings.port.declaration,
    EmailSettings.tls.declaration,
    EmailSettings.username.declaration,
    EmailSettings.password.declaration,
    EmailSettings.maildirPath.declaration,
    EmailSettings.unsubscribeURL.declaration,
    EmailSettings.unsubscribeSecret.declaration,
    EmailSettings.unsubscribeHost.declaration,
    EmailSettings.unsubscribePort.declaration,
    InboxSettings.database.declaration,
    InboxSettings.host.declaration,
    InboxSettings.port.declaration,
    MetricsSettings.host.declaration,
    MetricsSettings.port.declaration,
    LogSettings.level.declaration,
    LogSettings.format.declaration,
  ]

  /// Reads the configuration: defaults, over them the file, the environment, and the command line.
  ///
  /// - Parameters:
  ///   - file: the YAML file; nil for none. `locateFile` finds it.
  ///   - environment: the variables of the process; those that begin with `TIDINGS_` are read.
  ///   - overrides: the values of flags; of several for one key the last counts.
  ///   - kafkaRefusal: why a property of Kafka's client cannot have a value, as a sentence without a full stop; nil where it
  ///     can.
  /// - Throws: `SettingsProblems` with everything that is wrong in all sources, also in values that another source
  ///   overrides.
  public static func load(
    file: String?, environment: [String: String] = ProcessInfo.processInfo.environment,
    overrides: [SettingOverride] = [],
    kafkaRefusal: (_ property: String, _ value: String) -> String? = { _, _ in nil }
  ) throws(SettingsProblems) -> TidingsSettings {
    let sources = try SettingSources(
      file: file, environment: environment, overrides: overrides, kafkaRefusal: kafkaRefusal)
    return try TidingsSettings(SettingsReader(sources))
  }

  /// The configuration file of a process: the flag's, else that of the variable `TIDINGS_CONFIG`, else `tidings.yaml`
  /// in the working directory if it is there, else none.
  public static func locateFile(
    flag: String?, environment: [String: String] = ProcessInfo.processInfo.environment
  ) -> String? {
    if let flag { return flag }
    if let path = environment[SettingSources.fileVariable], !path.isEmpty { return path }
    return FileManager.default.fileExists(atPath: "tidings.yaml") ? "tidings.yaml" : nil
  }

  /// Where the value of a setting came from.
  ///
  /// - Parameter key: such as `processor.workers` or `kafka.security.protocol`.
  public func origin(of key: String) -> SettingOrigin {
    effective.first { $0.name == key }?.origin ?? .default
  }

  private init(_ reader: SettingsReader) throws(SettingsProblems) {
    kafka = KafkaSettings(
      bootstrapServers: try reader.value(KafkaSettings.bootstrapServers),
      properties: reader.kafkaProperties())
    topics = TopicSettings(
      prefix: try reader.value(TopicSettings.prefix),
      partitions: try reader.value(TopicSettings.partitions),
      replicationFactor: try reader.value(TopicSettings.replicationFactor))
    processor = ProcessorSettings(
      workers: try reader.value(ProcessorSettings.workers),
      instance: try reader.value(ProcessorSettings.instance),
      catalog: try reader.value(ProcessorSettings.catalog),
      timeZone: try reader.value(ProcessorSettings.timeZone),
      commitInterval: try reader.value(ProcessorSettings.commitInterval),
      maxBatchRecords: try reader.value(ProcessorSettings.maxBatchRecords),
      maxBatchBytes: try reader.value(ProcessorSettings.maxBatchBytes),
      dedupHorizon: try reader.value(ProcessorSettings.dedupHorizon),
      recordLimit: try reader.value(ProcessorSettings.recordLimit),
      heartbeatInterval: try reader.value(ProcessorSettings.heartbeatInterval),
      stateDirectory: try reader.value(ProcessorSettings.stateDirectory),
      snapshotInterval: try reader.value(ProcessorSettings.snapshotInterval))
    let smtp = EmailSettings.SMTP(
      host: try reader.value(EmailSettings.host),
      port: try reader.value(EmailSettings.port),
      tls: try reader.value(EmailSettings.tls),
      username: try reader.value(EmailSettings.username),
      password: try reader.value(EmailSettings.password))
    let unsubscribe = EmailSettings.Unsubscribe(
      url: try reader.value(EmailSettings.unsubscribeURL),
      secret: try reader.value(EmailSettings.unsubscribeSecret),
      host: try reader.value(EmailSettings.unsubscribeHost),
      port: try reader.value(EmailSettings.unsubscribePort))
    email = EmailSettings(
      transport: try reader.value(EmailSettings.transport),
      from: try reader.value(EmailSettings.from),
      smtp: smtp,
      maildirPath: try reader.value(EmailSettings.maildirPath),
      concurrency: try reader.value(EmailSettings.concurrency),
      timeout: try reader.value(EmailSettings.timeout),
      unsubscribe: unsubscribe)
    inbox = InboxSettings(
      database: try reader.value(InboxSettings.database),
      host: try reader.value(InboxSettings.host),
      port: try reader.value(InboxSettings.port))
    metrics = MetricsSettings(
      host: try reader.value(MetricsSettings.host),
      port: try reader.value(MetricsSettings.port))
    log = LogSettings(
      level: try reader.value(LogSettings.level),
      format: try reader.value(LogSettings.format))
    effective = reader.effective
    warnings = reader.warnings + TidingsSettings.doubts(email)
    try checkPairs()
  }

  /// Settings that have a meaning only together.
  private func checkPairs() throws(SettingsProblems) {
    let (link, secret) = (
      EmailSettings.unsubscribeURL.declaration, EmailSettings.unsubscribeSecret.declaration
    )
    if email.unsubscribe.url != nil, email.unsubscribe.secret.map({ $0.reveal().utf8.count < 16 }) ?? true {
      let message =
        "has no meaning without \(secret.name) of at least 16 bytes; set it, best by \(secret.environmentVariable)"
      throw SettingsProblems([SettingsProblem(origin(of: link.name), link.name, message)])
    }
    let (user, password) = (EmailSettings.username.declaration, EmailSettings.password.declaration)
    if email.smtp.username == nil, email.smtp.password != nil {
      let message = "has no meaning without \(user.name); set it too"
      throw SettingsProblems([SettingsProblem(origin(of: password.name), password.name, message)])
    }
    if email.smtp.username != nil, email.smtp.password == nil {
      let message = "has no meaning without \(password.name); set it, best by \(password.environmentVariable)"
      throw SettingsProblems([SettingsProblem(origin(of: user.name), user.name, message)])
    }
  }

  private static func doubts(_ email: EmailSettings) -> [String] {
    let isLocal = ["localhost", "127.0.0.1", "::1"].contains(email.smtp.host)
    guard email.smtp.password != nil, email.smtp.tls == .none || email.smtp.tls == .starttls, !isLocal else {
      return []
    }
    return [
      "email.smtp.tls is \(email.smtp.tls.rawValue): the password may cross the network in clear; set it to required"
    ]
  }
}
