import Foundation
import Pipeline

/// Where instants come from: the process's clocks, or a simulation's.
public protocol InstantSource: Sendable {
  /// The wall clock, in milliseconds since the epoch. It may jump.
  var wallMilliseconds: Int64 { get }
  /// A clock that only goes on, in milliseconds since any instant.
  var monotonicMilliseconds: Int64 { get }
}

/// The clocks of the machine.
public struct SystemInstants: InstantSource {
  private let start = ContinuousClock.now

  /// The clocks of the machine.
  public init() {}

  /// The wall clock.
  public var wallMilliseconds: Int64 {
    var now = timespec()
    clock_gettime(CLOCK_REALTIME, &now)
    return Int64(now.tv_sec) * 1000 + Int64(now.tv_nsec) / 1_000_000
  }

  /// Milliseconds since this value was made.
  public var monotonicMilliseconds: Int64 {
    let (seconds, attoseconds) = (ContinuousClock.now - start).components
    return seconds * 1000 + attoseconds / 1_000_000_000_000_000
  }
}

/// The clock by which windows close (design §3): the wall clock at the start plus monotonic time, drawn towards the
/// wall clock slowly, so that a jump of the wall clock neither closes windows early nor holds them.
///
/// It follows small differences only: by how much they differ beyond `ClockGuard.bound`, somebody has to find out
/// which clock is wrong.
struct TimerClock {
  private let instants: any InstantSource
  private var wall: Int64
  private var monotonic: Int64
  /// The last instant that was given out.
  private var latest: Int64

  /// Milliseconds of monotonic time per millisecond of drift that is taken back.
  private static let slewDivisor: Int64 = 100

  private let flaws: Flaws

  init(_ instants: any InstantSource, flaws: Flaws = []) {
    self.instants = instants
    self.flaws = flaws
    self.wall = instants.wallMilliseconds
    self.monotonic = instants.monotonicMilliseconds
    self.latest = wall
  }

  /// The timer clock, in milliseconds since the epoch. It never goes back, unless it is put right.
  mutating func now() -> Int64 {
    if flaws.contains(.clockJumpPersisted) { realign() }
    // The wall clock first: a thread that is held up between the two then lags, where it would else be early.
    let wallNow = instants.wallMilliseconds
    let monotonicNow = instants.monotonicMilliseconds
    let elapsed = max(0, monotonicNow - monotonic)
    let bound = elapsed / Self.slewDivisor
    let drift = wallNow - (wall + elapsed)
    // A base that moves at every call would never let the bound reach a millisecond.
    if bound > 0, drift != 0, drift.magnitude <= ClockGuard.bound {
      wall += elapsed + min(max(drift, -bound), bound)
      monotonic = monotonicNow
      latest = max(latest, wall)
    } else {
      latest = max(latest, wall + elapsed)
    }
    return latest
  }

  /// Takes the wall clock's time for right, be it earlier: only while the clock is not used. What was done by it before
  /// keeps its own latest instant (`Pipeline.timerClock`).
  mutating func realign() {
    wall = instants.wallMilliseconds
    latest = wall
    monotonic = instants.monotonicMilliseconds
  }

  /// How far the wall clock is ahead of this one, in milliseconds.
  func drift() -> Int64 {
    let base = wall + max(0, instants.monotonicMilliseconds - monotonic)
    return instants.wallMilliseconds - max(latest, base)
  }
}
