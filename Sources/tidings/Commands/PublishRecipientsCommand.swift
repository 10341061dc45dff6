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
      One JSON object a line: "recipient", optionally "tenant", and the fields of the record; "deleted": true takes
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
    _ = try InputFile(path: file)
    let settings = try options.loadWithLogging()
    let cluster = try settings.makeCluster(clientID: "tidings-publish")
    let topic = "\(settings.topics.prefix).recipients"
    let limit = settings.processor.recordLimit
    let stop = StopSignal()
    var lines = try LineReader(path: file, limit: limit, stop: stop)
    try TopicCheck.require(topic, on: cluster)
    let handlers = stop.installHandlers()
    defer { for handler in handlers { handler.cancel() } }
    var reader = try RecipientLineReader()
    var sender = try RecordSender(cluster: cluster, topic: topic, recordLimit: limit, stop: stop)
    var refused = 0
    while let line = try lines.next() {
      do throws(Rejection) {
        if line.isCut { throw Rejection(.recordTooLarge, "The line has more than \(limit) bytes.") }
        let number = line.number
        let record = try reader.read(line.bytes)
        let outgoing = OutgoingRecord(topicIndex: 0, key: record.key, value: record.value)
        guard sender.send(outgoing, name: "line \(number)") else { break }
      } catch {
        Terminal.error.writeLine("line \(line.number): \(error)")
        refused += 1
      }
    }
    try sender.flush {}
    let count = sender.tally.count
    Terminal.output.writeLine("published \(count.delivered.counted("recipient")) to \(topic)")
    if stop.isStopped {
      throw CommandEnd(.failed, "ended by a signal: the rest of the file is not published")
    }
    if let failure = count.firstFailure { throw CommandEnd(.failed, failure) }
    if refused > 0 { throw CommandEnd(.failed, "\(refused.counted("line")) left out") }
  }
}
