import ArgumentParser
import Contract
import Kafka
import Settings

/// `tidings publish recipients FILE`
struct PublishRecipientsCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "recipients",
    abstract: "Publish the records of recipients: address, locale, time zone, opt-outs.",
    discussion: """
      One JSON object a line: "recipient", optionally "tenant", and the fields of the record; "deleted": true takes \
      the record away. A line that is wrong is reported with its number and left out; the exit status is then 1.

      Example line:
        {"recipient":"ada","email":"ada@example.org","optOut":[{"category":"commits","channel":"email"}]}

      Examples:
        tidings publish recipients people.ndjson
      """)

  @OptionGroup var options: SettingsOptions

  @Argument(help: "The file, or - for standard input.")
  var file = "-"

  func run() throws {
    let settings = try options.loadWithLogging()
    var reader = try RecipientLineReader(maxBytes: settings.processor.recordLimit)
    try RecordFilePublisher(file: file, settings: settings, topicName: "recipients", unit: "recipient").run {
      (line) throws(Rejection) in
      let record = try reader.read(line)
      return OutgoingRecord(topicIndex: 0, key: record.key, value: record.value)
    }
  }
}
