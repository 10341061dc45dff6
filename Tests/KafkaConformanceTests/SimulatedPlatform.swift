import Kafka
import KafkaConformance
import SimulatedKafka

/// A world in virtual time. The test is the thread of a process in it: its calls let the world go on.
final class SimulatedPlatform: KafkaUnderTest {
  let world: SimulatedWorld
  private let process: SimulatedProcess

  init(seed: UInt64) {
    world = SimulatedWorld(seed: seed)
    process = world.spawn("test")
  }

  var cluster: any KafkaCluster { process.cluster }
  var milliseconds: Int64 { world.now }
  var patience: Duration { .seconds(30) }

  func pass(_ duration: Duration) {
    let (seconds, attoseconds) = duration.components
    process.sleep(for: seconds * 1000 + attoseconds / 1_000_000_000_000_000)
  }

  func spawn() -> any ProcessUnderTest { Spawned(process: world.spawn("other")) }

  private final class Spawned: ProcessUnderTest {
    let process: SimulatedProcess

    init(process: SimulatedProcess) { self.process = process }

    var cluster: any KafkaCluster { process.cluster }

    func crash() { process.crash() }
  }
}
