import Testing

@testable import Processor

@Suite struct TimerClockTests {
  @Test("the timer clock goes with the wall clock")
  func steady() {
    let instants = ManualInstants()
    var clock = TimerClock(instants)
    for _ in 0..<100 {
      instants.advance(137)
      #expect(clock.now() == instants.wallMilliseconds)
    }
  }

  @Test("a wall clock that goes back a little does not take the timer clock with it; it is followed slowly")
  func backwards() {
    let instants = ManualInstants()
    var clock = TimerClock(instants)
    var last = clock.now()
    instants.jumpWall(-30_000)
    for _ in 0..<1000 {
      instants.advance(50)
      let now = clock.now()
      #expect(now >= last)
      #expect(now - last <= 51)
      last = now
    }
    #expect(clock.drift() > -30_000)
    #expect(clock.drift() <= -29_500)
  }

  @Test("a wall clock that jumps by more than the bound is not followed at all")
  func jump() {
    for jump: Int64 in [3_600_000, -3_600_000] {
      let instants = ManualInstants()
      var clock = TimerClock(instants)
      instants.jumpWall(jump)
      for _ in 0..<1000 {
        instants.advance(50)
        _ = clock.now()
      }
      #expect(clock.drift() == jump)
    }
  }

  @Test("a timer clock that is put right has the wall clock's time, and goes on from there")
  func realign() {
    for jump: Int64 in [90_000, -90_000] {
      let instants = ManualInstants()
      var clock = TimerClock(instants)
      instants.advance(500)
      _ = clock.now()
      instants.jumpWall(jump)
      clock.realign()
      #expect(clock.now() == instants.wallMilliseconds)
      #expect(clock.drift() == 0)
      instants.advance(70_000)
      #expect(clock.now() == instants.wallMilliseconds)
    }
  }

  @Test("a wall clock that jumps ahead does not close windows early")
  func ahead() {
    let instants = ManualInstants()
    var clock = TimerClock(instants)
    let start = clock.now()
    instants.jumpWall(3_600_000)
    instants.advance(10_000)
    #expect(clock.now() - start <= 10_101)
  }
}

@Suite struct ClockGuardTests {
  @Test(
    "an append within the time of its commit says that the clocks agree; outside of it by how much they do not"
  )
  func lead() {
    #expect(ClockGuard.lead(of: 1_500, sent: 1_000, confirmed: 2_000) == 0)
    #expect(ClockGuard.lead(of: 900, sent: 1_000, confirmed: 2_000) == -100)
    #expect(ClockGuard.lead(of: 2_001, sent: 1_000, confirmed: 2_000) == 1)
  }

  @Test("the larger difference counts, be it the wall clock's or the broker's")
  func skew() {
    var guardian = ClockGuard(hasBrokerClock: true)
    #expect(!guardian.isVerified)
    #expect(guardian.skew(drift: 70_000) == 70_000)
    guardian.compare(appended: 100_000, sent: 200_000, confirmed: 200_010)
    #expect(guardian.isVerified)
    #expect(guardian.skew(drift: 70_000) == -100_000)
    #expect(guardian.skew(drift: -120_000) == -120_000)
  }

  @Test("where the broker does not tell its time, there is nothing to wait for")
  func noBrokerClock() {
    #expect(ClockGuard(hasBrokerClock: false).isVerified)
    var guardian = ClockGuard(hasBrokerClock: true)
    guardian.compare(appended: nil, sent: 1, confirmed: 2)
    #expect(guardian.isVerified && guardian.skew(drift: 0) == 0)
  }
}
