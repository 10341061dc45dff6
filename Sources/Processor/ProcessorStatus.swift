import Kafka
import Pipeline
import Synchronization

/// What a processor says of itself to health checks, metrics and the demo. Any thread may ask; workers write it.
public final class ProcessorStatus: Sendable {
  /// One home partition.
  public struct Partition: Sendable, Equatable {
    /// Its number.
    public var partition: Int32
    /// Whether it decides; otherwise it is being restored.
    public var isRunning: Bool
    /// The share of the restore that is done, 0…1.
    public var restoreProgress: Double
    /// Records that the restore has read.
    public var restoredRecords: Int64
    /// How long the restore takes yet, in milliseconds; nil while nothing is known.
    public var restoreTimeLeft: Int64?
    /// The counters as of its last confirmed commit.
    public var counters: Counters
    /// Windows that wait.
    public var openWindows: Int
    /// Ids in memory.
    public var ids: Int
    /// Fan-outs to audiences that are not finished.
    public var fanOuts = 0
    /// Whether nothing is left to read in any of its input topics, or to commit.
    public var isIdle: Bool
  }

  /// One worker.
  public struct Worker: Sendable, Equatable {
    /// The partitions that it owns.
    public var partitions: [Partition] = []
    /// Whether it has joined the group and all its partitions decide; a worker without partitions is ready.
    public var isReady = false
    /// The largest difference between the timer clock and the wall clock or the broker's, in milliseconds; positive
    /// where that is ahead.
    public var clockSkew: Int64 = 0
    /// Whether windows stay open because the clocks differ too much.
    public var areTimersStopped = false
    /// The version of the catalog that it decides by.
    public var catalogVersion: UInt64 = 0
  }

  private struct State {
    var workers: [Int: Worker] = [:]
    /// Also of partitions that went elsewhere since.
    var counters: [Int32: Counters] = [:]
    var pulses: [Int: Pulse] = [:]
  }

  private let state = Mutex(State())
  private let now: @Sendable () -> SuspendingClock.Instant

  /// A status of no workers.
  ///
  /// - Parameter now: by what the silence of workers is measured.
  public init(now: @escaping @Sendable () -> SuspendingClock.Instant = { .now }) { self.now = now }

  /// The workers that run.
  public var workers: [Int: Worker] { state.withLock { $0.workers } }

  /// How long ago the worker that has been silent for longest published its status, which it does twice a second; nil
  /// where none has joined its group yet.
  public var silence: Duration? {
    state.withLock { $0.pulses.values }.compactMap(\.silence).max()
  }

  /// The sums over all partitions that were ever decided here, as of their last commit here.
  public var counters: Counters {
    state.withLock { $0.counters.values.reduce(Counters()) { $0 + $1 } }
  }

  /// Whether every worker is ready.
  public var isReady: Bool {
    state.withLock { state in !state.workers.isEmpty && state.workers.values.allSatisfy(\.isReady) }
  }

  /// The number of partitions that decide.
  public var runningPartitions: Int {
    state.withLock { state in
      state.workers.values.reduce(0) { $0 + $1.partitions.count(where: \.isRunning) }
    }
  }

  /// Whether nothing is left to do: all that was published is decided and committed, and no window is open.
  public var isIdle: Bool {
    state.withLock { state in
      !state.workers.isEmpty
        && state.workers.values.allSatisfy { worker in
          worker.isReady && worker.partitions.allSatisfy { $0.isIdle && $0.openWindows == 0 }
        }
    }
  }

  func set(_ worker: Worker, number: Int) {
    state.withLock { state in
      let pulse = state.pulses[number] ?? Pulse(now: now)
      state.pulses[number] = pulse
      pulse.beat()
      state.workers[number] = worker
      for partition in worker.partitions where partition.isRunning {
        state.counters[partition.partition] = partition.counters
      }
    }
  }

  func remove(worker number: Int) {
    state.withLock { state in
      state.workers[number] = nil
      state.pulses[number] = nil
    }
  }
}
