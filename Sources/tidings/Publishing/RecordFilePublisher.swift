import Contract
import Kafka
import Settings

/// Publishes the records of a file, a JSON object a line, to the topic of their kind. A line that is wrong is reported
/// with its number and left out.
struct RecordFilePublisher {
  /// The file, or `-` for standard input.
  let file: String
  let settings: TidingsSettings
  /// Without the prefix.
  let topicName: String
  /// One of what is published, as in `published 3 parts`.
  let unit: String

  /// Publishes everything, waits for the broker, and tells the total.
  ///
  /// - Parameter read: makes a record of a line; its views have to be valid until the next call.
  /// - Throws: `CommandEnd` unless every line was published; `InputError`, `KafkaError`.
  func run(_ read: (ByteView) throws(Rejection) -> OutgoingRecord) throws {
    let cluster = try settings.makeCluster(clientID: "tidings-publish")
    let topic = "\(settings.topics.prefix).\(topicName)"
    let limit = settings.processor.recordLimit
    let stop = StopSignal()
    var lines = try LineReader(path: file, limit: limit, stop: stop)
    try TopicCheck.require(topic, on: cluster)
    let handlers = stop.installHandlers()
    defer { for handler in handlers { handler.cancel() } }
    var sender = try RecordSender(cluster: cluster, topic: topic, recordLimit: limit, stop: stop)
    var refused = 0
    while let line = try lines.next() {
      do throws(Rejection) {
        if line.isCut { throw Rejection(.recordTooLarge, "The line has more than \(limit) bytes.") }
        let number = line.number
        guard sender.send(try read(line.bytes), name: "line \(number)") else { break }
      } catch {
        Terminal.error.writeLine("line \(line.number): \(error)")
        refused += 1
      }
    }
    try sender.flush {}
    let count = sender.tally.count
    Terminal.output.writeLine("published \(count.delivered.counted(unit)) to \(topic)")
    if stop.isStopped {
      throw CommandEnd(.failed, "ended by a signal: the rest of the file is not published")
    }
    if let failure = count.firstFailure { throw CommandEnd(.failed, failure) }
    if refused > 0 { throw CommandEnd(.failed, "\(refused.counted("line")) left out") }
  }
}
