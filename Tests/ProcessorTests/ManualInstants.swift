import Synchronization

@testable import Processor

/// Instants that a test moves.
final class ManualInstants: InstantSource {
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

/// The machine's clocks with a wall clock that is wrong, by as much as a test says.
final class SkewedInstants: InstantSource {
  private let base = SystemInstants()
  private let skew: Atomic<Int64>

  init(skew: Int64 = 0) { self.skew = Atomic(skew) }

  var wallMilliseconds: Int64 { base.wallMilliseconds + skew.load(ordering: .relaxed) }
  var monotonicMilliseconds: Int64 { base.monotonicMilliseconds }

  func set(skew: Int64) { self.skew.store(skew, ordering: .relaxed) }
}
