import Metrics
import Synchronization

/// How long the processor's transactions take, as it says itself: a back end for its metrics that keeps this one.
public final class CommitTimes: MetricsFactory, Sendable {
  /// The one of this process; nil before ``collect()``.
  static var ofThisProcess: CommitTimes? { MetricsSystem.factory as? CommitTimes }

  private let histogram = Mutex(LatencyHistogram())

  private init() {}

  /// Has the metrics of this process collected. To be called once in a process, and not where others collect them.
  public static func collect() { MetricsSystem.bootstrap(CommitTimes()) }

  /// What was collected since the last call.
  func take() -> Latency {
    histogram.withLock { histogram in
      defer { histogram = LatencyHistogram() }
      return histogram.latency
    }
  }

  private final class Recorder: TimerHandler {
    private let times: CommitTimes

    init(_ times: CommitTimes) { self.times = times }

    func recordNanoseconds(_ duration: Int64) {
      times.histogram.withLock { $0.record(nanoseconds: duration) }
    }
  }

  /// Keeps the transactions' time and nothing else.
  public func makeTimer(label: String, dimensions: [(String, String)]) -> any TimerHandler {
    label == "tidings_transaction_seconds" ? Recorder(self) : NOOPMetricsHandler.instance
  }

  /// Keeps nothing.
  public func makeCounter(label: String, dimensions: [(String, String)]) -> any CounterHandler {
    NOOPMetricsHandler.instance
  }

  /// Keeps nothing.
  public func makeRecorder(
    label: String, dimensions: [(String, String)], aggregate: Bool
  ) -> any RecorderHandler {
    NOOPMetricsHandler.instance
  }

  /// Has nothing to let go of.
  public func destroyTimer(_ handler: any TimerHandler) {}

  /// Has nothing to let go of.
  public func destroyCounter(_ handler: any CounterHandler) {}

  /// Has nothing to let go of.
  public func destroyRecorder(_ handler: any RecorderHandler) {}
}
