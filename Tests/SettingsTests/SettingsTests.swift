import Foundation
import Testing

@testable import Settings

@Suite("The configuration")
struct SettingsTests {
  @Test("without any source every setting has its default")
  func defaults() throws {
    let settings = try TidingsSettings.load(file: nil, environment: [:])
    #expect(settings.kafka == KafkaSettings(bootstrapServers: "localhost:9092", properties: [:]))
    #expect(settings.topics == TopicSettings(prefix: "tidings", partitions: 16, replicationFactor: nil))
    #expect(settings.processor.workers == 1)
    #expect(settings.processor.instance == nil)
    #expect(settings.processor.commitInterval == .milliseconds(100))
    #expect(settings.processor.dedupHorizon == .seconds(86_400))
    #expect(settings.processor.timeZone == "UTC")
    #expect(settings.processor.recordLimit == 262_144)
    #expect(settings.processor.heartbeatInterval == .seconds(21_600))
    #expect(settings.processor.stateDirectory == nil)
    #expect(settings.processor.snapshotInterval == .seconds(300))
    #expect(settings.email.transport == .smtp)
    #expect(settings.email.smtp.tls == .starttls)
    #expect(settings.inbox.host == "127.0.0.1" && settings.inbox.port == 8_080)
    #expect(settings.log == LogSettings(level: .info, format: .text))
    #expect(settings.warnings.isEmpty)
    for declaration in TidingsSettings.declarations {
      #expect(settings.origin(of: declaration.name) == .default)
    }
  }

  @Test("flags override the environment, the environment overrides the file, the file the defaults")
  func layers() throws {
    let file = try ConfigurationFile(
      """
      processor:
        workers: 2
        maxBatchRecords: 20
        recordLimit: 2KiB
      """)
    let settings = try TidingsSettings.load(
      file: file.path,
      environment: ["TIDINGS_PROCESSOR_MAX_BATCH_RECORDS": "30", "TIDINGS_PROCESSOR_RECORD_LIMIT": "3KiB"],
      overrides: [SettingOverride(argument: "processor.recordLimit=4KiB")])
    #expect(settings.processor.workers == 2)
    #expect(settings.processor.maxBatchRecords == 30)
    #expect(settings.processor.recordLimit == 4_096)
    #expect(settings.origin(of: "processor.workers") == .file(file.path, line: 2, column: 12))
    #expect(
      settings.origin(of: "processor.maxBatchRecords") == .environment("TIDINGS_PROCESSOR_MAX_BATCH_RECORDS"))
    #expect(settings.origin(of: "processor.recordLimit") == .flag("--set processor.recordLimit"))
    #expect(settings.origin(of: "log.level") == .default)
  }

  @Test("every setting is read from the environment variable that its documentation names")
  func environmentVariables() throws {
    let samples = [
      "kafka.bootstrap.servers": "b:1", "topics.prefix": "p", "topics.partitions": "7",
      "topics.replicationFactor": "3", "processor.workers": "5", "processor.instance": "i-0",
      "processor.catalog": "c.yaml", "processor.timeZone": "Asia/Tokyo", "processor.commitInterval": "50ms",
      "processor.maxBatchRecords": "11",
      "processor.maxBatchBytes": "1MiB", "processor.dedupHorizon": "2h", "processor.recordLimit": "128KiB",
      "processor.heartbeatInterval": "1h", "processor.stateDirectory": "state",
      "processor.snapshotInterval": "10m", "email.transport": "maildir",
      "email.from": "a@b", "email.concurrency": "9", "email.timeout": "5s", "email.smtp.host": "mail",
      "email.smtp.port": "587", "email.smtp.tls": "required", "email.smtp.username": "u",
      "email.smtp.password": "s3cret", "email.maildir.path": "m", "email.unsubscribe.url": "https://x.org/u",
      "email.unsubscribe.secret": "0123456789abcdef", "email.unsubscribe.host": "0.0.0.0",
      "email.unsubscribe.port": "3", "inbox.database": "d.sqlite",
      "inbox.host": "0.0.0.0", "inbox.port": "1", "metrics.host": "0.0.0.0", "metrics.port": "2",
      "log.level": "debug", "log.format": "json",
    ]
    var environment: [String: String] = [:]
    for declaration in TidingsSettings.declarations {
      let sample: String = try #require(samples[declaration.name], "\(declaration.name)")
      environment[declaration.environmentVariable] = sample
    }
    #expect(environment.count == TidingsSettings.declarations.count)
    let settings = try TidingsSettings.load(file: nil, environment: environment)
    for declaration in TidingsSettings.declarations {
      #expect(settings.origin(of: declaration.name) == .environment(declaration.environmentVariable))
    }
    #expect(settings.kafka.bootstrapServers == "b:1" && settings.kafka.properties.isEmpty)
    #expect(settings.topics == TopicSettings(prefix: "p", partitions: 7, replicationFactor: 3))
    #expect(
      settings.processor
        == ProcessorSettings(
          workers: 5, instance: "i-0", catalog: "c.yaml", timeZone: "Asia/Tokyo",
          commitInterval: .milliseconds(50),
          maxBatchRecords: 11,
          maxBatchBytes: 1 << 20, dedupHorizon: .seconds(7_200), recordLimit: 128 << 10,
          heartbeatInterval: .seconds(3_600), stateDirectory: "state", snapshotInterval: .seconds(600)))
    #expect(
      settings.email
        == EmailSettings(
          transport: .maildir, from: "a@b",
          smtp: EmailSettings.SMTP(
            host: "mail", port: 587, tls: .required, username: "u", password: Secret("s3cret")),
          maildirPath: "m", concurrency: 9, timeout: .seconds(5),
          unsubscribe: EmailSettings.Unsubscribe(
            url: "https://x.org/u", secret: Secret("0123456789abcdef"), host: "0.0.0.0", port: 3)))
    #expect(settings.inbox == InboxSettings(database: "d.sqlite", host: "0.0.0.0", port: 1))
    #expect(settings.metrics == MetricsSettings(host: "0.0.0.0", port: 2))
    #expect(settings.log == LogSettings(level: .debug, format: .json))
  }

  @Test("properties of librdkafka pass through from all sources, dots and all")
  func kafkaProperties() throws {
    let file = try ConfigurationFile(
      """
      kafka:
        bootstrap.servers: one:9092,two:9092
        security.protocol: SASL_SSL
        sasl.username: file
        sasl.mechanism: PLAIN
        enable.ssl.certificate.verification: false
      """)
    let settings = try TidingsSettings.load(
      file: file.path,
      environment: ["TIDINGS_KAFKA_SASL_USERNAME": "environment", "TIDINGS_KAFKA_SASL_PASSWORD": "s3cret"],
      overrides: [SettingOverride(argument: "kafka.sasl.mechanism=SCRAM-SHA-512=x")])
    #expect(settings.kafka.bootstrapServers == "one:9092,two:9092")
    #expect(
      settings.kafka.properties == [
        "security.protocol": "SASL_SSL", "sasl.username": "environment", "sasl.password": "s3cret",
        "sasl.mechanism": "SCRAM-SHA-512=x", "enable.ssl.certificate.verification": "false",
      ])
    #expect(settings.origin(of: "kafka.sasl.password") == .environment("TIDINGS_KAFKA_SASL_PASSWORD"))
    #expect(settings.origin(of: "kafka.sasl.mechanism") == .flag("--set kafka.sasl.mechanism"))
  }

  @Test("a variable that is set but empty, and a key without a value, count as not set")
  func emptyValues() throws {
    let file = try ConfigurationFile("processor:\n  instance:\n  workers: ~\nemail:\n  smtp:\n")
    let settings = try TidingsSettings.load(file: file.path, environment: ["TIDINGS_LOG_LEVEL": ""])
    #expect(settings.processor.workers == 1)
    #expect(settings.processor.instance == nil)
    #expect(settings.log.level == .info)
    #expect(settings.warnings.isEmpty)
  }

  @Test("an empty file is a configuration of defaults", arguments: ["", "# nothing yet\n"])
  func emptyFile(text: String) throws {
    let file = try ConfigurationFile(text)
    #expect(try TidingsSettings.load(file: file.path, environment: [:]).topics.partitions == 16)
  }

  @Test("of several flags for one setting the last counts")
  func repeatedFlags() throws {
    let settings = try TidingsSettings.load(
      file: nil, environment: [:],
      overrides: [
        SettingOverride(key: "processor.workers", value: "2", flag: "--workers"),
        SettingOverride(argument: "processor.workers=3"),
      ])
    #expect(settings.processor.workers == 3)
    #expect(settings.origin(of: "processor.workers") == .flag("--set processor.workers"))
  }

  @Test("the file is the flag's, else the variable's, and else there may be none")
  func locating() {
    let environment = ["TIDINGS_CONFIG": "/etc/tidings.yaml"]
    #expect(TidingsSettings.locateFile(flag: "f.yaml", environment: environment) == "f.yaml")
    #expect(TidingsSettings.locateFile(flag: nil, environment: environment) == "/etc/tidings.yaml")
  }

  @Test("the variable that names the file is no setting, and foreign variables are none of our business")
  func foreignVariables() throws {
    let environment = ["TIDINGS_CONFIG": "x", "PATH": "/bin", "tidings_log_level": "debug"]
    let settings = try TidingsSettings.load(file: nil, environment: environment)
    #expect(settings.warnings.isEmpty && settings.log.level == .info)
  }

  @Test("an unknown TIDINGS variable is a warning that names the nearest one")
  func unknownVariable() throws {
    let settings = try TidingsSettings.load(file: nil, environment: ["TIDINGS_LOG_LEVLE": "debug"])
    #expect(
      settings.warnings == [
        "the environment variable TIDINGS_LOG_LEVLE is not a known setting and has no effect "
          + "(did you mean TIDINGS_LOG_LEVEL?)"
      ])
  }

  @Test("what Kubernetes sets for services whose names begin with tidings-kafka is no property of librdkafka")
  func serviceLinks() throws {
    let environment = [
      "TIDINGS_KAFKA_SERVICE_HOST": "10.0.0.1", "TIDINGS_KAFKA_SERVICE_PORT": "9092",
      "TIDINGS_KAFKA_BOOTSTRAP_SERVICE_HOST": "10.0.0.1",
      "TIDINGS_KAFKA_BOOTSTRAP_PORT": "tcp://10.0.0.1:9091",
      "TIDINGS_KAFKA_BOOTSTRAP_PORT_9091_TCP_ADDR": "10.0.0.1",
      "TIDINGS_KAFKA_SERVICE_PORT_TCP_CLIENT": "9092", "TIDINGS_KAFKA_PORT": "tcp://10.0.0.1:9092",
      "TIDINGS_KAFKA_PORT_9092_TCP": "tcp://10.0.0.1:9092", "TIDINGS_KAFKA_PORT_9092_TCP_PROTO": "tcp",
      "TIDINGS_KAFKA_PORT_9092_TCP_PORT": "9092", "TIDINGS_KAFKA_PORT_9092_TCP_ADDR": "10.0.0.1",
      "TIDINGS_KAFKA_CLIENT_RACK": "a",
    ]
    let settings = try TidingsSettings.load(file: nil, environment: environment)
    #expect(settings.kafka.properties == ["client.rack": "a"])
    #expect(
      settings.warnings == [
        "the environment variables TIDINGS_KAFKA_SERVICE_… and TIDINGS_KAFKA_PORT… have no effect: Kubernetes sets "
          + "them for services whose names begin with tidings-kafka; set enableServiceLinks: false in the pod to be rid of them"
      ])
  }

  @Test("a password that may cross the network in clear is a warning", arguments: ["none", "starttls"])
  func clearPassword(tls: String) throws {
    var environment = [
      "TIDINGS_EMAIL_SMTP_HOST": "mail.example.org", "TIDINGS_EMAIL_SMTP_USERNAME": "u",
      "TIDINGS_EMAIL_SMTP_PASSWORD": "p", "TIDINGS_EMAIL_SMTP_TLS": tls,
    ]
    #expect(try TidingsSettings.load(file: nil, environment: environment).warnings.count == 1)
    environment["TIDINGS_EMAIL_SMTP_HOST"] = "localhost"
    #expect(try TidingsSettings.load(file: nil, environment: environment).warnings.isEmpty)
  }

  @Test("the example at the root of the repository is valid and says what the defaults say")
  func example() throws {
    let settings = try TidingsSettings.load(file: repositoryFile("tidings.yaml"), environment: [:])
    var expected = try TidingsSettings.load(file: nil, environment: [:])
    expected.processor.catalog = "catalog.yaml"
    #expect(settings.kafka == expected.kafka && settings.topics == expected.topics)
    #expect(settings.processor == expected.processor && settings.email == expected.email)
    #expect(settings.inbox == expected.inbox && settings.metrics == expected.metrics)
    #expect(settings.log == expected.log)
  }
}
