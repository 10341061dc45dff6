import Synchronization
import Testing

@testable import Processor

/// Instants that a test moves.
private final class ManualInstants: InstantSource {
  private let wall = Atomic<Int64>(1_700_000_000_000)
  private let monotonic = Atomic<Int64>(5_000)

  var wallMilliseconds: Int64 { wall.load(ordering: .relaxed) }
  var monotonicMilliseconds: Int64 { monotonic.load(ordering: .relaxed) }

  func advance(_ milliseconds: Int64) {
    wall.wrappingAdd(milliseconds, ordering: .relaxed)
    monotonic.wrappingAdd(milliseconds, ordering: .relaxed)
  }

  func jumpWall(_ milliseconds: Int64) { wall.wrappingAdd(milliseconds, ordering: .relaxed) }
}

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

  @Test("a wall clock that jumps back does not take the timer clock with it; it is followed slowly")
  func backwards() {
    let instants = ManualInstants()
    var clock = TimerClock(instants)
    var last = clock.now()
    instants.jumpWall(-3_600_000)
    for _ in 0..<1000 {
      instants.advance(50)
      let now = clock.now()
      #expect(now >= last)
      #expect(now - last <= 51)
      last = now
    }
    #expect(clock.drift() > -3_600_000)
    #expect(clock.drift() < -3_500_000)
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
