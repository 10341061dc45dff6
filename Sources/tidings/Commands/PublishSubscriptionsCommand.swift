import ArgumentParser
import Contract
import Kafka
import Settings

/// `tidings publish subscriptions FILE`
struct PublishSubscriptionsCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "subscriptions",
    abstract: "Publish who follows which audience.",
    discussion: """
      One JSON object a line, a part of an audience each: "audience", "recipients", optionally "tenant" and "part"; \
      "deleted": true removes the part. A line replaces the part of its name and no other. A line that is wrong is \
      reported with its number and left out; the exit status is then 1. docs/subscriptions.md explains audiences.

      Example line:
        {"audience":"board:42","part":"0","recipients":["ada","ben"]}

      Examples:
        tidings publish subscriptions boards.ndjson
      """)

  @OptionGroup var options: SettingsOptions

  @Argument(help: "The file, or - for standard input.")
  var file = "-"

  func run() throws {
    let settings = try options.loadWithLogging()
    let partitionCount = Int32(settings.topics.partitions)
    var reader = try SubscriptionLineReader(maxBytes: settings.processor.recordLimit)
    try RecordFilePublisher(file: file, settings: settings, topicName: "subscriptions", unit: "part").run {
      (line) throws(Rejection) in
      let part = try reader.read(line)
      // All parts of an audience at its home: the part has no say in it.
      let home = Murmur2.partition(ofKey: part.audienceKey, count: partitionCount)
      return OutgoingRecord(topicIndex: 0, partition: home, key: part.record.key, value: part.record.value)
    }
  }
}
