import Contract
import Kafka
import Settings

/// Publishes the records of a file, a JSON object a line, to the topic of their kind. A line that is wrong is reported
/// with its number and left out.
struct RecordFilePublisher {
  /// The file, or `-` for standard input.
  let file: String
  let cluster: any KafkaCluster
  let topic: String
  /// The largest record in bytes.
  let recordLimit: Int
  /// One of what is published, as in `published 3 parts`.
  let unit: String

  /// - Parameters:
  ///   - file: or `-` for standard input.
  ///   - topicName: without the prefix.
  init(file: String, settings: TidingsSettings, topicName: String, unit: String) throws {
    self.init(
      file: file, cluster: try settings.makeCluster(clientID: "tidings-publish"),
      topic: "\(settings.topics.prefix).\(topicName)", recordLimit: settings.processor.recordLimit, unit: unit
    )
  }

  init(file: String, cluster: any KafkaCluster, topic: String, recordLimit: Int, unit: String) {
    self.file = file
    self.cluster = cluster
    self.topic = topic
    self.recordLimit = recordLimit
    self.unit = unit
  }

  /// Publishes everything, waits for the broker, and tells the total.
  ///
  /// - Parameter read: makes a record of a line; its views have to be valid until the next call.
  /// - Throws: `CommandEnd` unless every line was published; before anything is, `InputError` where the file cannot be
  ///   opened, and `KafkaError`.
  func run(_ read: (ByteView) throws(Rejection) -> OutgoingRecord) throws {
    let stop = StopSignal()
    let lineLimit = EventLimits(maxRecordBytes: recordLimit).maxLineBytes
    var lines = try LineReader(path: file, limit: lineLimit, stop: stop)
    try TopicCheck.require(topic, on: cluster)
    let handlers = stop.installHandlers()
    defer { for handler in handlers { handler.cancel() } }
    var sender = try RecordSender(cluster: cluster, topic: topic, recordLimit: recordLimit, stop: stop)
    var refused = 0
    var inputError: InputError?
    do throws(InputError) {
      while let line = try lines.next() {
        do throws(Rejection) {
          if line.isCut {
            throw Rejection(.recordTooLarge, "The line has more than \(lineLimit) bytes.")
          }
          let number = line.number
          guard sender.send(try read(line.bytes), name: "line \(number)") else { break }
        } catch {
          Terminal.error.writeLine("line \(line.number): \(error)")
          refused += 1
        }
      }
    } catch {
      // What was read before is published all the same.
      inputError = error
    }
    var flushError: KafkaError?
    do throws(KafkaError) {
      try sender.flush {}
    } catch {
      flushError = error
    }
    let count = sender.tally.count
    Terminal.output.writeLine("published \(count.delivered.counted(unit)) to \(topic)")
    try PublishEnd.check(
      leftOut: refused > 0 ? "\(refused.counted("line")) left out" : nil, count, inputError, flushError,
      isStopped: stop.isStopped)
  }
}
