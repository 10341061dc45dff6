import SeededTesting
import Testing

@testable import Delivery

@Suite("waits between attempts")
struct RetryPolicyTests {
  @Test("a wait doubles up to the maximum, and is between a half and the whole")
  func delays() {
    let policy = RetryPolicy(initialDelay: .milliseconds(100), maximumDelay: .seconds(1), attemptLimit: 8)
    var random = SeededGenerator.printed()
    let wholes: [Duration] = [100, 200, 400, 800, 1000, 1000, 1000].map { .milliseconds($0) }
    for _ in 0..<200 {
      for (index, whole) in wholes.enumerated() {
        let delay = policy.delay(afterFailures: index + 1, using: &random)
        #expect(delay >= whole / 2 && delay <= whole)
      }
    }
  }

  @Test("any number of failures has a wait")
  func manyFailures() {
    let policy = RetryPolicy()
    var random = SeededGenerator.printed()
    #expect(policy.delay(afterFailures: 0, using: &random) <= policy.initialDelay)
    #expect(policy.delay(afterFailures: 1_000_000, using: &random) >= policy.maximumDelay / 2)
  }
}

@Suite("the circuit breaker")
struct CircuitBreakerTests {
  private let policy = RetryPolicy(initialDelay: .seconds(1), maximumDelay: .seconds(8))

  @Test("it opens at a failure, lets one probe through after the wait, and closes when that is answered")
  func cycle() {
    var random = SeededGenerator.printed()
    var breaker = CircuitBreaker(policy: policy)
    let whileClosed = [breaker.mayStart(now: .zero), breaker.mayStart(now: .zero)]
    breaker.recordFailure(now: .zero, using: &random)
    let tooEarly = breaker.mayStart(now: .milliseconds(499))
    let probe = breaker.mayStart(now: .seconds(1))
    let secondProbe = breaker.mayStart(now: .seconds(100))
    breaker.recordAnswer()
    let afterAnswer = breaker.mayStart(now: .seconds(100))
    #expect(whileClosed == [true, true])
    #expect([tooEarly, probe, secondProbe, afterAnswer] == [false, true, false, true])
    #expect(breaker.isClosed)
  }

  @Test("each failed probe lengthens the wait up to the maximum; late failures of before do not")
  func escalation() throws {
    var random = SeededGenerator.printed()
    var breaker = CircuitBreaker(policy: policy)
    var now = Duration.zero
    for whole in [1, 2, 4, 8, 8, 8] {
      breaker.recordFailure(now: now, using: &random)
      let due = try #require(breaker.probeDue)
      #expect(due - now >= .seconds(whole) / 2 && due - now <= .seconds(whole))
      breaker.recordFailure(now: now + .seconds(5), using: &random)
      #expect(breaker.probeDue == due)
      now = due
      let isProbe = breaker.mayStart(now: now)
      #expect(isProbe)
    }
  }

  @Test("a probe that tells nothing makes room for another")
  func lostProbe() {
    var random = SeededGenerator.printed()
    var breaker = CircuitBreaker(policy: policy)
    breaker.recordFailure(now: .zero, using: &random)
    let probe = breaker.mayStart(now: .seconds(1))
    breaker.recordNothing(now: .seconds(1))
    let another = breaker.mayStart(now: .seconds(1))
    #expect(probe && another && !breaker.isClosed)
  }
}
