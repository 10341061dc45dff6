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
      One JSON object a line, a part of an audience each: "audience", "recipients", optionally "tenant" and "part";
      "deleted": true removes the part. A line replaces the part of its name and no other. A line that is wrong is
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
    _ = try InputFile(path: file)
    let settings = try options.loadWithLogging()
    let cluster = try settings.makeCluster(clientID: "tidings-publish")
    let topic = "\(settings.topics.prefix).subscriptions"
    let limit = settings.processor.recordLimit
    let stop = StopSignal()
    var lines = try LineReader(path: file, limit: limit, stop: stop)
    try TopicCheck.require(topic, on: cluster)
    let handlers = stop.installHandlers()
    defer { for handler in handlers { handler.cancel() } }
    var reader = try SubscriptionLineReader()
    var sender = try RecordSender(cluster: cluster, topic: topic, recordLimit: limit, stop: stop)
    var refused = 0
    while let line = try lines.next() {
      do throws(Rejection) {
        if line.isCut { throw Rejection(.recordTooLarge, "The line has more than \(limit) bytes.") }
        let number = line.number
        let part = try reader.read(line.bytes)
        // All parts of an audience at its home: the part has no say in it.
        let home = Murmur2.partition(ofKey: part.audienceKey, count: Int32(settings.topics.partitions))
        let outgoing = OutgoingRecord(
          topicIndex: 0, partition: home, key: part.record.key, value: part.record.value)
        guard sender.send(outgoing, name: "line \(number)") else { break }
      } catch {
        Terminal.error.writeLine("line \(line.number): \(error)")
        refused += 1
      }
    }
    try sender.flush {}
    let count = sender.tally.count
    Terminal.output.writeLine("published \(count.delivered.counted("part")) to \(topic)")
    if stop.isStopped {
      throw CommandEnd(.failed, "ended by a signal: the rest of the file is not published")
    }
    if let failure = count.firstFailure { throw CommandEnd(.failed, failure) }
    if refused > 0 { throw CommandEnd(.failed, "\(refused.counted("line")) left out") }
  }
}
