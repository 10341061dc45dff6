import Settings
import Testing

@Suite("A broken configuration")
struct SettingsProblemTests {
  private func problems(
    _ yaml: String? = nil, environment: [String: String] = [:], flags: [String] = [],
    kafkaRefusal: (_ property: String, _ value: String) -> String? = { _, _ in nil }
  ) throws -> [String] {
    let file = try yaml.map { try ConfigurationFile($0) }
    do throws(SettingsProblems) {
      var overrides: [SettingOverride] = []
      for flag in flags { overrides.append(try SettingOverride(argument: flag)) }
      _ = try TidingsSettings.load(
        file: file?.path, environment: environment, overrides: overrides, kafkaRefusal: kafkaRefusal)
      return []
    } catch {
      return error.problems.map { $0.description.replacing(file?.path ?? "no file", with: "t.yaml") }
    }
  }

  @Test("an unknown key is an error with line, column and the nearest known key")
  func unknownKey() throws {
    #expect(
      try problems("processor:\n  worker: 2\n") == [
        #"t.yaml:2:3: processor.worker: is not a known key (did you mean "workers"?)"#
      ])
    #expect(
      try problems("email:\n  smtp:\n    hots: x\n") == [
        #"t.yaml:3:5: email.smtp.hots: is not a known key (did you mean "host"?)"#
      ])
    #expect(
      try problems("proccessor: {}\n") == [
        #"t.yaml:1:1: proccessor: is not a known key (did you mean "processor"?)"#
      ])
  }

  @Test("a value out of bounds names its source, its key and the bounds, whichever the source")
  func sources() throws {
    let expected = "processor.workers: must be from 1 to 64, but is 0"
    #expect(try problems("processor:\n  workers: 0\n") == ["t.yaml:2:12: \(expected)"])
    #expect(
      try problems(environment: ["TIDINGS_PROCESSOR_WORKERS": "0"]) == [
        "TIDINGS_PROCESSOR_WORKERS: \(expected)"
      ])
    #expect(try problems(flags: ["processor.workers=0"]) == ["--set processor.workers: \(expected)"])
  }

  @Test("all problems of all sources are named at once, file first, also in values that are overridden")
  func allAtOnce() throws {
    let found = try problems(
      "processor:\n  workers: 65\nlog:\n  level: loud\n",
      environment: ["TIDINGS_PROCESSOR_WORKERS": "2", "TIDINGS_TOPICS_PARTITIONS": "many"],
      flags: ["metrics.port=70000", "lgo.level=info"])
    #expect(
      found == [
        "t.yaml:2:12: processor.workers: must be from 1 to 64, but is 65",
        "t.yaml:4:10: log.level: must be one of trace, debug, info, notice, warning, error, critical, "
          + #"but is "loud""#,
        #"TIDINGS_TOPICS_PARTITIONS: topics.partitions: must be a whole number, but is "many""#,
        #"--set lgo.level: lgo.level: is not a known setting (did you mean "log.level"?)"#,
        "--set metrics.port: metrics.port: must be from 0 to 65535, but is 70000",
      ])
  }

  @Test(
    "properties of Kafka's client that are refused are named among all other problems, each with its source")
  func refusedProperties() throws {
    let found = try problems(
      "kafka:\n  bootstrap.servers: a:1\n  foo.bar: 1\n  acks: all\ntopics:\n  partitions: 0\n",
      environment: ["TIDINGS_KAFKA_GROUP_ID": "mine"], flags: ["kafka.linger.ms=soon"]
    ) { property, value in property == "acks" ? nil : "cannot be \(value)" }
    #expect(
      found == [
        "t.yaml:3:12: kafka.foo.bar: cannot be 1",
        "t.yaml:6:15: topics.partitions: must be from 1 to 1000, but is 0",
        "TIDINGS_KAFKA_GROUP_ID: kafka.group.id: cannot be mine",
        "--set kafka.linger.ms: kafka.linger.ms: cannot be soon",
      ])
  }

  @Test(
    "a value that is not of its type says what to write",
    arguments: [
      ("processor.commitInterval=100", "100\" has no unit"),
      ("processor.commitInterval=19ms", "must be from 20ms to 5s, but is 19ms"),
      ("processor.dedupHorizon=31d", "must be from 1m to 30d, but is 31d"),
      ("processor.recordLimit=1GB", "\"1GB\" is not a size"),
      ("processor.instance=a b", "must be 1 to 64 of a-z"),
      ("topics.prefix=a/b", "must be 1 to 100 of a-z"),
      ("email.from=nobody", "must be without a name: `name@domain`"),
      ("email.from=Tidings <a@b>", "must be without a name"),
      ("email.smtp.tls=tls", "must be one of none, starttls, required, implicit"),
      ("email.transport=smpt", "(did you mean \"smtp\"?)"),
      ("email.smtp.host=http://x", "must be without port and spaces"),
      ("kafka.bootstrap.servers=a:1,,b:1", "must be host:port"),
      ("kafka.client.id=", "is empty"),
      ("processor.catalog=", "must have 1 to 4096 bytes, but has 0"),
    ])
  func types(flag: String, message: String) throws {
    let found = try problems(flags: [flag])
    #expect(found.count == 1 && found.first?.contains(message) == true, "\(found)")
  }

  @Test(
    "a flag without an equals sign or without a key is an error", arguments: ["processor.workers", "=2", ""])
  func malformedFlag(flag: String) throws {
    let found = try problems(flags: [flag])
    #expect(found == ["--set: needs key=value, such as processor.workers=2, but is \"\(flag)\""])
  }

  @Test("a file that is not YAML, or not there, is an error with its place")
  func brokenFile() throws {
    #expect(try problems("a: [").first?.hasPrefix("t.yaml:") == true)
    #expect(
      try problems("- a\n") == [#"t.yaml:1:1: must be a mapping ("key: value" lines), but is a list"#])
    do throws(SettingsProblems) {
      _ = try TidingsSettings.load(file: "/nowhere/t.yaml", environment: [:])
      Issue.record("a file that is not there was read")
    } catch {
      #expect(error.description == "/nowhere/t.yaml:1:1: cannot be read: there is no such file")
    }
  }

  @Test("a section or a property with the wrong shape is an error, not a crash")
  func shapes() throws {
    #expect(try problems("processor: 5\n").count == 1)
    #expect(try problems("kafka: [a]\n").count == 1)
    #expect(try problems("kafka:\n  security: { protocol: SSL }\n").count == 1)
    #expect(try problems("log:\n  level: [info]\n").count == 1)
  }

  @Test("user and password have a meaning only together")
  func pairs() throws {
    #expect(
      try problems(environment: ["TIDINGS_EMAIL_SMTP_PASSWORD": "s3cret"]) == [
        "TIDINGS_EMAIL_SMTP_PASSWORD: email.smtp.password: has no meaning without email.smtp.username; set it too"
      ])
    #expect(
      try problems("email: { smtp: { username: u } }\n") == [
        "t.yaml:1:28: email.smtp.username: has no meaning without email.smtp.password; set it, best by "
          + "TIDINGS_EMAIL_SMTP_PASSWORD"
      ])
  }

  @Test("a variable that Kubernetes set for a service says so")
  func serviceLinks() throws {
    let found = try problems(environment: ["TIDINGS_INBOX_PORT": "tcp://10.0.0.1:8080"])
    #expect(found.count == 1 && found.first?.contains("enableServiceLinks: false") == true, "\(found)")
  }
}
