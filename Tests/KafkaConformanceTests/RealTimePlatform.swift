import Foundation
import Kafka
import KafkaConformance

/// A cluster behind sockets, embedded or real. Time passes by itself.
final class RealTimePlatform: KafkaUnderTest {
  let cluster: any KafkaCluster
  let patience: Duration
  private let start = ContinuousClock.now

  init(_ cluster: any KafkaCluster, patience: Duration) {
    self.cluster = cluster
    self.patience = patience
  }

  var milliseconds: Int64 {
    let (seconds, attoseconds) = (ContinuousClock.now - start).components
    return seconds * 1000 + attoseconds / 1_000_000_000_000_000
  }

  func pass(_ duration: Duration) {
    let (seconds, attoseconds) = duration.components
    Thread.sleep(forTimeInterval: Double(seconds) + Double(attoseconds) / 1e18)
  }

  func spawn() -> any ProcessUnderTest { Spawned(cluster: cluster) }

  /// Its clients die when the test lets go of them: a client that is dropped without a close tells nobody.
  private final class Spawned: ProcessUnderTest {
    let cluster: any KafkaCluster

    init(cluster: any KafkaCluster) { self.cluster = cluster }

    func crash() {}
  }
}
