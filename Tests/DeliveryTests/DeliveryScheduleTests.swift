import Contract
import SeededTesting
import Testing

@testable import Delivery

@Suite("which record is next")
struct DeliveryScheduleTests {
  private let source = DeliverySource(partition: 0, generation: 1)

  private func schedule() -> DeliverySchedule<Int> {
    DeliverySchedule(
      breaker: CircuitBreaker(policy: RetryPolicy(initialDelay: .seconds(2), maximumDelay: .seconds(2))))
  }

  private struct NothingReady: Error {}

  private func take(_ schedule: inout DeliverySchedule<Int>, _ now: Duration) throws
    -> DeliverySchedule<Int>.Ticket
  {
    guard let ticket = schedule.take(now: now) else { throw NothingReady() }
    return ticket
  }

  private func key(_ number: UInt64) -> Hash128 { Hash128(high: number, low: 0) }

  @Test("a recipient's records go one after the other, and another recipient's beside them")
  func order() throws {
    var random = SeededGenerator.printed()
    var schedule = schedule()
    for item in 1...3 { schedule.enqueue(item, key: key(1), source: source, byteCount: 10) }
    schedule.enqueue(100, key: key(2), source: source, byteCount: 10)
    let first = try take(&schedule, .zero)
    let second = try take(&schedule, .zero)
    let third = schedule.take(now: .zero)
    #expect(first.item == 1 && second.item == 100 && third == nil)
    schedule.answer(first, .finished, now: .zero, using: &random)
    let next = try take(&schedule, .zero)
    #expect(next.item == 2)
    #expect(schedule.count == 3 && schedule.byteCount == 30 && schedule.runningCount == 2)
  }

  @Test("a record that waits for its next attempt holds back its recipient and nobody else")
  func retry() throws {
    var random = SeededGenerator.printed()
    var schedule = schedule()
    schedule.enqueue(1, key: key(1), source: source, byteCount: 0)
    schedule.enqueue(2, key: key(1), source: source, byteCount: 0)
    let first = try take(&schedule, .zero)
    #expect(first.attempt == 1)
    schedule.answer(first, .retry(at: .seconds(5)), now: .zero, using: &random)
    let tooEarly = schedule.take(now: .seconds(4))
    #expect(tooEarly == nil)
    #expect(schedule.nextDue == .seconds(5))
    schedule.enqueue(100, key: key(2), source: source, byteCount: 0)
    let other = try take(&schedule, .seconds(4))
    #expect(other.item == 100)
    let again = try take(&schedule, .seconds(5))
    #expect(again.item == 1 && again.attempt == 2)
  }

  @Test(
    "untried is what nobody has begun with, and what an outage keeps; not what is tried again, nor what is behind it"
  )
  func untried() throws {
    var random = SeededGenerator.printed()
    var schedule = schedule()
    for item in [1, 2] { schedule.enqueue(item, key: key(1), source: source, byteCount: 0) }
    schedule.enqueue(100, key: key(2), source: source, byteCount: 0)
    let untried = { (schedule: DeliverySchedule<Int>) in
      var items: [Int] = []
      schedule.forEachUntried { item, _ in items.append(item) }
      return items.sorted()
    }
    #expect(untried(schedule) == [1, 100])
    let first = try take(&schedule, .zero)
    #expect(untried(schedule) == [100])
    schedule.answer(first, .retry(at: .seconds(5)), now: .zero, using: &random)
    let other = try take(&schedule, .zero)
    #expect(untried(schedule).isEmpty)
    schedule.answer(other, .unavailable, now: .zero, using: &random)
    #expect(untried(schedule) == [100])
    let again = try take(&schedule, .seconds(60))
    schedule.answer(again, .finished, now: .seconds(60), using: &random)
    let probe = try take(&schedule, .seconds(60))
    schedule.answer(probe, .finished, now: .seconds(60), using: &random)
    #expect(untried(schedule) == [2])
  }

  @Test("while nothing can be handed over one record after the other probes, without attempts being counted")
  func outage() throws {
    var random = SeededGenerator.printed()
    var schedule = schedule()
    for number in 1...5 { schedule.enqueue(number, key: key(UInt64(number)), source: source, byteCount: 0) }
    let first = try take(&schedule, .zero)
    schedule.answer(first, .unavailable, now: .zero, using: &random)
    let tooEarly = schedule.take(now: .milliseconds(900))
    #expect(tooEarly == nil)
    var now = Duration.zero
    for number in 1...20 {
      now = try #require(schedule.nextDue)
      let probe = try take(&schedule, now)
      #expect(probe.item == number % 5 + 1 && probe.attempt == 1 && !probe.isSuspect)
      let another = schedule.take(now: now)
      #expect(another == nil)
      schedule.answer(probe, .unavailable, now: now, using: &random)
    }
    now = try #require(schedule.nextDue)
    let probe = try take(&schedule, now)
    schedule.answer(probe, .finished, now: now, using: &random)
    let rest = (0..<4).compactMap { _ in schedule.take(now: now)?.item }
    #expect(probe.item == 2 && rest == [3, 4, 5, 1])
  }

  @Test("a record for which alone the other side is unavailable holds up no other, and is known by that")
  func suspect() throws {
    var random = SeededGenerator.printed()
    var schedule = schedule()
    schedule.enqueue(1, key: key(1), source: source, byteCount: 0)
    let first = try take(&schedule, .zero)
    schedule.answer(first, .unavailable, now: .zero, using: &random)
    var now = try #require(schedule.nextDue)
    let again = try take(&schedule, now)
    #expect(again.item == 1 && !again.isSuspect, "nothing else was there to be tried")
    schedule.enqueue(2, key: key(2), source: source, byteCount: 0)
    schedule.answer(again, .unavailable, now: now, using: &random)
    now = try #require(schedule.nextDue)
    let other = try take(&schedule, now)
    #expect(other.item == 2)
    schedule.answer(other, .finished, now: now, using: &random)
    let third = try take(&schedule, now)
    #expect(third.item == 1 && third.isSuspect && third.attempt == 1)
    schedule.answer(third, .retryUnanswered(at: now + .seconds(1)), now: now, using: &random)
    #expect(schedule.breaker.isClosed)
    let fourth = try take(&schedule, now + .seconds(1))
    #expect(!fourth.isSuspect && fourth.attempt == 2, "nothing else has passed since")
  }

  @Test(
    "an outage that begins while an answer is under way blames no record more than once, and opens the breaker"
  )
  func outageWithLateAnswer() throws {
    var random = SeededGenerator.printed()
    var schedule = schedule()
    for number in 1...3 { schedule.enqueue(number, key: key(UInt64(number)), source: source, byteCount: 0) }
    let tickets = try (1...3).map { _ in try take(&schedule, .zero) }
    schedule.answer(tickets[0], .unavailable, now: .zero, using: &random)
    schedule.answer(tickets[1], .unavailable, now: .zero, using: &random)
    schedule.answer(tickets[2], .finished, now: .zero, using: &random)
    var attempts = [1: 1, 2: 1]
    var now = Duration.zero
    for _ in 0..<50 {
      guard let ticket = schedule.take(now: now) else {
        now = try #require(schedule.nextDue)
        continue
      }
      attempts[ticket.item] = ticket.attempt
      schedule.answer(
        ticket, ticket.isSuspect ? .retryUnanswered(at: now + .seconds(1)) : .unavailable, now: now,
        using: &random)
    }
    #expect(attempts == [1: 2, 2: 2])
    #expect(!schedule.breaker.isClosed)
  }

  @Test("the records of a source that went are forgotten, and one in progress is not tried again")
  func drop() throws {
    var random = SeededGenerator.printed()
    let other = DeliverySource(partition: 1, generation: 1)
    var schedule = schedule()
    schedule.enqueue(1, key: key(1), source: source, byteCount: 1)
    schedule.enqueue(2, key: key(1), source: source, byteCount: 1)
    schedule.enqueue(3, key: key(2), source: source, byteCount: 1)
    schedule.enqueue(4, key: key(2), source: other, byteCount: 1)
    schedule.enqueue(5, key: key(3), source: source, byteCount: 1)
    let running = try take(&schedule, .zero)
    schedule.drop([source])
    #expect(schedule.runningCount(of: [source]) == 1 && schedule.runningCount(of: [other]) == 0)
    schedule.answer(running, .retry(at: .seconds(1)), now: .zero, using: &random)
    #expect(schedule.runningCount(of: [source]) == 0)
    let left = (0..<3).compactMap { _ in schedule.take(now: .seconds(9))?.item }
    #expect(left == [4] && schedule.count == 1 && schedule.byteCount == 1)
  }

  @Test("over any run: no record is lost or finished twice, the order per recipient holds, the counts agree")
  func property() throws {
    var random = SeededGenerator.printed()
    for _ in 0..<200 {
      var schedule = schedule()
      var now = Duration.zero
      var entered: [UInt64: [Int]] = [:]
      var finished: [UInt64: [Int]] = [:]
      var recipient: [Int: UInt64] = [:]
      var running: [DeliverySchedule<Int>.Ticket] = []
      for number in 0..<Int.random(in: 1...80, using: &random) {
        let who = UInt64.random(in: 0...5, using: &random)
        recipient[number] = who
        entered[who, default: []].append(number)
        schedule.enqueue(number, key: key(who), source: source, byteCount: 1)
        for _ in 0..<Int.random(in: 0...6, using: &random) { step(&random) }
      }
      var steps = 0
      while schedule.count > 0, steps < 100_000 {
        steps += 1
        step(&random)
      }
      #expect(finished == entered)
      #expect(schedule.count == 0 && schedule.byteCount == 0 && schedule.runningCount == 0)

      func step(_ random: inout SeededGenerator) {
        now += .milliseconds(Int.random(in: 0...1500, using: &random))
        if Bool.random(using: &random), let ticket = schedule.take(now: now) {
          let who = recipient[ticket.item]
          #expect(!running.contains { recipient[$0.item] == who }, "two of one recipient at once")
          running.append(ticket)
        } else if let index = running.indices.randomElement(using: &random) {
          let ticket = running.remove(at: index)
          switch Int.random(in: 0..<7, using: &random) {
          case 0, 6:
            let wait = Duration.milliseconds(Int.random(in: 0...3000, using: &random))
            let isAnswered = Bool.random(using: &random)
            schedule.answer(
              ticket, isAnswered ? .retry(at: now + wait) : .retryUnanswered(at: now + wait), now: now,
              using: &random)
          case 1: schedule.answer(ticket, .unavailable, now: now, using: &random)
          case 2: schedule.answer(ticket, .abandoned, now: now, using: &random)
          default:
            if let who = recipient[ticket.item] { finished[who, default: []].append(ticket.item) }
            let isAsked = Bool.random(using: &random)
            schedule.answer(ticket, isAsked ? .finished : .finishedUnasked, now: now, using: &random)
          }
        }
        #expect(schedule.runningCount == running.count)
      }
    }
  }
}
