/// The reference page of the configuration, made from the declarations: `docs/configuration.md`.
public enum SettingsReference {
  private static let introduction = """
    # Configuration

    <!-- Made from the declarations in Sources/Settings; SettingsTests says how to write it anew. -->

    A process reads its configuration once, at the start, from four layers. Each overrides those before it:

    1. the defaults on this page;
    2. a YAML file: the one of `--config`, else of the variable `TIDINGS_CONFIG`, else `tidings.yaml` in the working \
    directory, if it is there;
    3. environment variables, named in the tables. One that is set but empty counts as not set;
    4. flags: `--set key=value` for any key, such as `--set processor.workers=2`, and a command's own flags.

    `tidings config` prints every setting with the value in force and the place that it came from. Secrets are masked \
    everywhere.

    Everything is checked before a process starts, also values that another layer overrides, and all problems are \
    named at once with the file, line and column, the variable or the flag, the key and its bounds. A key that is \
    not on this page is an error that names the nearest one. A variable that begins with `TIDINGS_` and is not on \
    this page is a warning. A key without a value counts as not set. Relative paths begin at the working directory.

    Durations are a whole number and a unit: `250ms`, `5s`, `10m`, `24h`, `7d`. Sizes likewise: `512B`, `256KiB`, \
    `8MiB`, `1GiB`.

    In Kubernetes, set `enableServiceLinks: false` in the pods: for a service of the name `tidings-inbox` Kubernetes \
    would otherwise set `TIDINGS_INBOX_PORT` to an address of its own kind.

    """

  private static let kafka = """
    Every other key of this section is a [property of \
    librdkafka](https://github.com/confluentinc/librdkafka/blob/master/CONFIGURATION.md), with the dots in its name, \
    and is handed to all clients as it is: TLS, SASL, time-outs.

    ```yaml
    kafka:
      bootstrap.servers: broker-1:9093,broker-2:9093
      security.protocol: SASL_SSL
      sasl.mechanism: SCRAM-SHA-512
      sasl.username: tidings
    ```

    As an environment variable a property is written in capitals, with underscores for dots, after `TIDINGS_KAFKA_`: \
    `TIDINGS_KAFKA_SASL_PASSWORD`. As a flag: `--set kafka.security.protocol=SSL`. [Those that exactly-once \
    rests on](kafka.md#properties) are set by Tidings, and what librdkafka does not know is refused: each is a problem like \
    any other. Properties whose names say password, \
    secret or private key are masked.

    """

  /// The page as Markdown.
  public static func markdown() -> String {
    var page = introduction
    for section in sections {
      page += "\n## \(section)\n\n"
      page += "| key | meaning | values | default | variable |\n| --- | --- | --- | --- | --- |\n"
      for declaration in TidingsSettings.declarations where declaration.path.first == section {
        page += row(declaration)
      }
      if section == "kafka" { page += "\n" + kafka }
    }
    return page
  }

  private static var sections: [String] {
    var sections: [String] = []
    for declaration in TidingsSettings.declarations {
      guard let section = declaration.path.first, sections.last != section else { continue }
      sections.append(section)
    }
    return sections
  }

  private static func row(_ declaration: SettingDeclaration) -> String {
    let cells = [
      "`\(declaration.name)`", declaration.documentation, declaration.format,
      declaration.defaultText.map { "`\($0)`" } ?? "not set", "`\(declaration.environmentVariable)`",
    ]
    return "| " + cells.map { $0.replacing("|", with: "\\|") }.joined(separator: " | ") + " |\n"
  }
}
