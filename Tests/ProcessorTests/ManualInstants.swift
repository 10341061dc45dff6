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

/// The machine's clocks, put forward by a test, with a wall clock that is wrong, by as much as the test says.
final class SkewedInstants: InstantSource {
  private let base = SystemInstants()
  private let skew: Atomic<Int64>
  private let passed = Atomic<Int64>(0)

  init(skew: Int64 = 0) { self.skew = Atomic(skew) }

  var wallMilliseconds: Int64 { advanced(base.wallMilliseconds) + skew.load(ordering: .relaxed) }
  var monotonicMilliseconds: Int64 { advanced(base.monotonicMilliseconds) }

  private func advanced(_ instant: Int64) -> Int64 { instant + passed.load(ordering: .relaxed) }

  /// Lets time pass at once, by all clocks.
  func advance(_ milliseconds: Int64) { passed.wrappingAdd(milliseconds, ordering: .relaxed) }

  func set(skew: Int64) { self.skew.store(skew, ordering: .relaxed) }
}
