import Kafka

/// How a run ends that publishes, once its total is told.
enum PublishEnd {
  /// Ends the command with all that went wrong.
  ///
  /// - Parameters:
  ///   - leftOut: what was refused, in words; nil where nothing was.
  ///   - count: what the broker said.
  ///   - inputError: why the input was not read to its end.
  ///   - flushError: why the broker was not waited for.
  ///   - isStopped: whether a signal ended it.
  /// - Throws: `CommandEnd` unless everything was published.
  static func check(
    leftOut: String?, _ count: DeliveryTally.Count, _ inputError: InputError?, _ flushError: KafkaError?,
    isStopped: Bool
  ) throws(CommandEnd) {
    var problems: [String] = []
    if let leftOut { problems.append(leftOut) }
    if count.failed > 0 {
      problems.append(
        "\(count.failed.counted("record")) not delivered; the first: \(count.firstFailure ?? "")")
    }
    if let inputError { problems.append(inputError.description) }
    if let flushError { problems.append("ended before the broker had everything: \(flushError)") }
    if isStopped { problems.append("ended by a signal: the rest is not published") }
    guard problems.isEmpty else { throw CommandEnd(.failed, problems.joined(separator: "; ")) }
  }
}
