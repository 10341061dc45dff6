import Contract
import Kafka
import Logging

/// Takes records from the queue one after the other: decodes, delivers, and decides about the outcome.
struct SinkWorker: Sendable {
  let sink: any DeliverySink
  let queue: SinkQueue
  let deadLetters: DeadLetters
  let monitor: SinkMonitor
  let options: SinkOptions
  let logger: Logger

  /// Works until the queue is closed.
  ///
  /// - Throws: `JSONError` when there is no memory for the decoder.
  func run() async throws {
    var decoder = try DeliveryDecoder()
    while let ticket = await queue.next() {
      let delivery: Result<Delivery, Rejection>
      do throws(Rejection) {
        delivery = .success(try decode(ticket.item, with: &decoder))
      } catch {
        delivery = .failure(error)
      }
      queue.answer(ticket, await handle(ticket, delivery))
    }
  }

  private func decode(_ record: SinkRecord, with decoder: inout DeliveryDecoder) throws(Rejection) -> Delivery
  {
    guard let value = record.value else { return try decoder.decode(nil) }
    // A closure cannot borrow the decoder and throw a typed error at once.
    var outcome: Result<Delivery, Rejection> = .failure(Rejection(.tombstone, ""))
    value.withUnsafeBytes { bytes in
      do throws(Rejection) {
        outcome = .success(try decoder.decode(ByteView(bytes)))
      } catch {
        outcome = .failure(error)
      }
    }
    return try outcome.get()
  }

  private func handle(_ ticket: SinkQueue.Ticket, _ delivery: Result<Delivery, Rejection>) async
    -> SinkQueue.Outcome
  {
    switch delivery {
    case .failure(let rejection):
      return await bury(
        ticket, code: rejection.reason.rawValue, detail: rejection.detail, attempts: 0, wasAsked: false)
    case .success(let delivery):
      guard delivery.channel == options.channel else {
        let detail =
          "The delivery is for the channel \(delivery.channel.name), and this sink serves \(options.channel.name)."
        return await bury(
          ticket, code: RejectionReason.invalidAttribute.rawValue, detail: detail, attempts: 0,
          wasAsked: false)
      }
      return await deliver(delivery, ticket)
    }
  }

  private func deliver(_ delivery: Delivery, _ ticket: SinkQueue.Ticket) async -> SinkQueue.Outcome {
    switch await sink.deliver(delivery) {
    case .delivered(let detail):
      note(.sink, outage: nil)
      monitor.recordDelivered(delivery)
      logger.debug(
        "delivered", metadata: metadata(ticket, ["delivery": "\(delivery.id)", "detail": "\(detail)"]))
      return .finished
    case .permanent(let reason):
      monitor.recordFailedAttempt()
      note(.sink, outage: nil)
      return await bury(
        ticket, code: "refused", detail: reason, attempts: ticket.attempt, wasAsked: true)
    case .transient(let reason):
      note(.sink, outage: nil)
      return await retry(ticket, reason: reason, isAnswered: true)
    case .unavailable(let reason) where ticket.isSuspect:
      return await retry(ticket, reason: reason, isAnswered: false)
    case .unavailable(let reason):
      monitor.recordFailedAttempt()
      note(.sink, outage: reason)
      return .unavailable
    }
  }

  /// Counts the attempt: another one after a wait, or the dead letters after the last.
  private func retry(
    _ ticket: SinkQueue.Ticket, reason: String, isAnswered: Bool
  ) async -> SinkQueue.Outcome {
    monitor.recordFailedAttempt()
    guard ticket.attempt < options.retry.attemptLimit else {
      return await bury(
        ticket, code: "attemptsExhausted", detail: reason, attempts: ticket.attempt, wasAsked: isAnswered)
    }
    var random = SystemRandomNumberGenerator()
    let wait = options.retry.delay(afterFailures: ticket.attempt, using: &random)
    logger.info(
      "a delivery was refused for now and will be tried again",
      metadata: metadata(
        ticket, ["reason": "\(reason)", "attempt": "\(ticket.attempt)", "wait-seconds": "\(wait.seconds)"]))
    return isAnswered ? .retry(after: wait) : .retryUnanswered(after: wait)
  }

  /// Moves the record to the dead letters. When that fails, the record waits like all others: it is never lost.
  private func bury(
    _ ticket: SinkQueue.Ticket, code: String, detail: String, attempts: Int, wasAsked: Bool
  ) async -> SinkQueue.Outcome {
    let reason = DeadLetters.Reason(code: code, detail: detail, attempts: attempts)
    // Kafka's client waits for minutes for a topic that is not there; somebody should know sooner.
    let notice = Task {
      try await Task.sleep(for: DeadLetters.patience)
      let topic = options.deadLetterTopic
      note(.deadLetters, outage: "the topic \(topic) does not answer: does it exist? (tidings topics apply)")
    }
    do throws(KafkaError) {
      defer { notice.cancel() }
      try await deadLetters.send(ticket.item, reason: reason)
    } catch {
      // An attempt by the sink is counted already.
      if attempts == 0 { monitor.recordFailedAttempt() }
      note(.deadLetters, outage: error.description)
      return .unavailable
    }
    // The notice may be under way: it is not to have the last word.
    _ = await notice.result
    note(.deadLetters, outage: nil)
    monitor.recordDeadLetter()
    logger.warning(
      "a delivery went to the dead letters",
      metadata: metadata(ticket, ["reason": "\(code)", "detail": "\(detail)"]))
    return wasAsked ? .finished : .finishedUnasked
  }

  /// Notes whether something stands in the way of deliveries; logs it when that changes.
  private func note(_ obstacle: SinkMonitor.Obstacle, outage: String?) {
    guard monitor.record(obstacle, outage: outage) else { return }
    let channel: Logger.Metadata = ["channel": "\(options.channel.name)"]
    if let outage {
      logger.error(
        "nothing can be delivered; deliveries wait, and it is tried again",
        metadata: channel.merging(["reason": "\(outage)"]) { _, new in new })
    } else {
      logger.notice("deliveries go on", metadata: channel)
    }
  }

  private func metadata(_ ticket: SinkQueue.Ticket, _ more: Logger.Metadata) -> Logger.Metadata {
    let record = ticket.item
    let place: Logger.Metadata = [
      "topic": "\(record.topic)", "partition": "\(record.partition)", "offset": "\(record.offset)",
      "key": "\(record.keyText)",
    ]
    return place.merging(more) { _, new in new }
  }
}
