import Foundation
import Settings
import Testing

@Suite("What is shown of the configuration")
struct RenderTests {
  private func settings() throws -> TidingsSettings {
    let file = try ConfigurationFile(
      """
      kafka:
        sasl.username: 'user "one": #1'
        ssl.ca.location: C:\\certificates
        ssl.ca.pem: |
          -----BEGIN CERTIFICATE-----
          MIIB+TCCAaA=
          -----END CERTIFICATE-----
        client.rack: "a\\tb\\r\\n\\e\\x7f\\u0085\\u2028ä"
      processor:
        catalog: "a: b"
        dedupHorizon: 90m
      """)
    return try TidingsSettings.load(
      file: file.path,
      environment: [
        "TIDINGS_KAFKA_SASL_PASSWORD": "s3cret-one", "TIDINGS_EMAIL_SMTP_PASSWORD": "s3cret-two",
        "TIDINGS_KAFKA_SSL_KEY_PEM": "s3cret-three", "TIDINGS_EMAIL_SMTP_USERNAME": "null",
        "TIDINGS_KAFKA_SASL_OAUTHBEARER_ASSERTION_PRIVATE_KEY_PASSPHRASE": "s3cret-four",
      ],
      overrides: [SettingOverride(argument: "email.smtp.tls=required")])
  }

  @Test("the rendered configuration, read as a file, gives the same settings, secrets apart")
  func roundTrip() throws {
    let settings = try settings()
    let file = try ConfigurationFile(settings.render())
    let again = try TidingsSettings.load(
      file: file.path, environment: ["TIDINGS_EMAIL_SMTP_PASSWORD": "s3cret-two"])
    var kafka = settings.kafka
    kafka.properties["sasl.password"] = nil
    kafka.properties["ssl.key.pem"] = nil
    kafka.properties["sasl.oauthbearer.assertion.private.key.passphrase"] = nil
    #expect(kafka.properties["ssl.ca.pem"]?.contains("\nMIIB+TCCAaA=\n") == true)
    #expect(kafka.properties["client.rack"] == "a\tb\r\n\u{1b}\u{7f}\u{85}\u{2028}ä")
    #expect(again.kafka == kafka)
    #expect(again.topics == settings.topics && again.processor == settings.processor)
    #expect(again.email == settings.email && again.inbox == settings.inbox)
    #expect(again.metrics == settings.metrics && again.log == settings.log)
  }

  @Test("each value is shown with the place that it came from")
  func origins() throws {
    let text = try settings().render()
    #expect(text.contains(#/\n  dedupHorizon: 90m  # .*tidings\.yaml:11:17\n/#))
    #expect(text.contains("\n    tls: required  # --set email.smtp.tls\n"))
    #expect(text.contains("\n  workers: 1  # default\n"))
    #expect(text.contains("\n    # password: ********  # TIDINGS_EMAIL_SMTP_PASSWORD\n"))
    #expect(text.contains("\n  # instance:\n"))
  }

  @Test("every declared setting is shown once, with its documentation")
  func complete() throws {
    let lines = try settings().render().split(separator: "\n").map { $0.trimmingCharacters(in: .whitespaces) }
    for section in ["kafka", "topics", "processor", "email", "inbox", "metrics", "log"] {
      #expect(lines.count { $0 == "\(section):" } == 1)
    }
    for declaration in TidingsSettings.declarations {
      let beginning = declaration.documentation.split(separator: " ").prefix(3).joined(separator: " ")
      #expect(lines.contains { $0.hasPrefix("# \(beginning)") }, "\(declaration.name)")
    }
  }

  @Test("no secret is shown by the rendering, by a description or by a dump")
  func secrets() throws {
    let settings = try settings()
    var shown = settings.render() + "\(settings)" + String(reflecting: settings)
    dump(settings, to: &shown)
    #expect(!shown.contains("s3cret"))
    #expect(shown.contains("********"))
    #expect(settings.email.smtp.password?.reveal() == "s3cret-two")
    #expect(settings.kafka.properties["sasl.password"] == "s3cret-one")
  }

  @Test("a secret that is given by a flag is not shown in a problem")
  func secretInProblem() throws {
    do throws(SettingsProblems) {
      _ = try TidingsSettings.load(
        file: nil, environment: [:],
        overrides: [SettingOverride(argument: "email.smtp.password=s3cret\u{7}")])
      Issue.record("a control character was accepted")
    } catch {
      #expect(!error.description.contains("s3cret"))
    }
  }

  /// With `TIDINGS_WRITE_REFERENCE=1` in the environment the page is written anew instead of compared.
  @Test("docs/configuration.md is what the declarations say")
  func referencePage() throws {
    let path = repositoryFile("docs/configuration.md")
    if ProcessInfo.processInfo.environment["TIDINGS_WRITE_REFERENCE"] == "1" {
      try Data(SettingsReference.markdown().utf8).write(to: URL(filePath: path))
    }
    let page = try String(contentsOfFile: path, encoding: .utf8)
    #expect(page == SettingsReference.markdown(), "write it anew: TIDINGS_WRITE_REFERENCE=1 make test")
  }
}
