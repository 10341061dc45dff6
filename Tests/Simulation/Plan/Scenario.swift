import Pipeline
import Processor
import SeededTesting

/// All that a seed draws before its run begins: the deployment, its settings, the load, the faults.
struct Scenario {
  let seed: UInt64
  var partitionCount: Int
  var instances: Int
  var workersPerInstance: Int
  var isStatic: Bool
  /// When the run begins, in milliseconds since the epoch: anywhere in a minute, by which ids expire.
  var start: Int64
  /// How long faults and load go on, in milliseconds.
  var duration: Int64
  var commitInterval: Int64
  var minimumCommitInterval: Int64
  /// Partitions with work that one commit takes at least.
  var undividedPartitions: Int
  /// How often a commit takes half where others take all, or the other way round.
  var commitTrialDistance: Int
  /// With 0 an id counts until its minute is over, so that many expire within a run.
  var horizonMinutes: Int64
  var checkpointFloor: Int64
  var checkpointSlice: Int64
  var memberLimit: Int
  var fanOutLimit: Int
  /// Bytes of one step of a fan-out to an audience, of all in one batch, and how many there are at a time.
  var fanOutStep: Int
  var tickBytes: Int
  var fanOutBytes: Int
  var fanOutCountLimit: Int
  var commitRecords: Int
  var backlogBytes: Int
  var frozenLifetime: Int64
  /// Whether processes keep snapshots in files, and how often they write them; nil: none.
  var snapshotInterval: Int64?
  /// The bytes of a snapshot's slice, about.
  var snapshotSlice: Int64
  /// How often idle partitions write a state record, in milliseconds.
  var heartbeatInterval: Int64
  /// How far wall clocks are off from the true time, at most, in milliseconds.
  var clockSkew: Int64
  var catalogs: [CatalogSpec]
  var shape: Workload.Shape
  var faults: FaultProfile
  var flaws: Flaws = []

  static let prefix = "sim"

  init(seed: UInt64) throws {
    self.seed = seed
    var random = SeededGenerator(seed: seed &* 0x9E37_79B9 &+ 1)
    func pick<Value>(_ values: [Value]) -> Value { values[Int.random(in: 0..<values.count, using: &random)] }
    func chance(_ probability: Double) -> Bool { Double.random(in: 0..<1, using: &random) < probability }
    partitionCount = pick([1, 2, 2, 3, 4])
    instances = pick([1, 2, 2, 3, 4])
    workersPerInstance = pick([1, 1, 1, 2])
    isStatic = chance(0.5)
    // Half a minute before a full hour, or after it.
    start = 1_700_002_770_000 + Int64.random(in: 0..<60_000, using: &random)
    duration = Int64.random(in: 15_000...50_000, using: &random)
    commitInterval = pick([20, 50, 100, 300])
    minimumCommitInterval = pick([5, 20, 50])
    horizonMinutes = pick([0, 1, 1, 2])
    checkpointFloor = pick([2_000, 6_000, 20_000, 300_000])
    checkpointSlice = pick([300, 1_000, 100_000])
    memberLimit = pick([3, 6, 10_000])
    fanOutLimit = pick([200, 700, 8 << 20])
    var audiences = SeededGenerator(seed: seed &* 0x9E6D_62D0 &+ 5)
    fanOutStep = [150, 700, 2_500, 64 << 10].randomElement(using: &audiences) ?? 150
    fanOutBytes = [400, 3_000, 512 << 10].randomElement(using: &audiences) ?? 400
    fanOutCountLimit = [1, 3, 1_000].randomElement(using: &audiences) ?? 1
    tickBytes = [3_000, 12_000, 2 << 20].randomElement(using: &audiences) ?? 3_000
    var commits = SeededGenerator(seed: seed &* 0x9E67_3C11 &+ 6)
    undividedPartitions = [1, 2, 4].randomElement(using: &commits) ?? 4
    commitTrialDistance = [2, 8, 24].randomElement(using: &commits) ?? 24
    let append: Int64 = [0, 0, 0, 2].randomElement(using: &commits) ?? 0
    commitRecords = pick([5, 50, 10_000])
    backlogBytes = pick([4_000, 60_000, 4 << 20])
    frozenLifetime = pick([500, 300_000, 300_000])
    clockSkew = pick([0, 0, 0, 300, 1500])
    var wishes = SeededGenerator(seed: seed &* 0x85EB_CA6B &+ 2)
    catalogs = [
      try CatalogSpec.draw(&random, wishes: &wishes, start: start),
      try CatalogSpec.draw(&random, wishes: &wishes, start: start),
    ]
    shape = Workload.Shape(
      recipients: pick([2, 5, 12]), meanDistance: pick([40, 120, 300]),
      repeats: Double.random(in: 0.1...0.3, using: &random), burst: pick([10, 40, 120]),
      idle: pick([1_000, 9_000, 25_000]), isCrowded: chance(0.2))
    faults = FaultProfile.draw(&random)
    faults.latencies.append = append
    // What a full batch lets through has to be more than what comes in: of the smallest, about six records.
    if backlogBytes < 60_000, faults.background.lateMarkers > 0 {
      shape.meanDistance = max(120, shape.meanDistance)
      faults.background.lateMarker = shape.meanDistance < 300 ? 20...100 : 50...400
    }
    snapshotInterval = chance(0.6) ? pick([300, 1_000, 6_000]) : nil
    snapshotSlice = pick([300, 2_000, 1 << 20])
    heartbeatInterval = pick([6 * 3_600_000, 4_000, 12_000])
    if snapshotInterval != nil, chance(0.4) { drawSnapshotFaults(&random) }
    var additions = SeededGenerator(seed: seed &* 0x9E4B_1D57 &+ 7)
    if Int.random(in: 0..<8, using: &additions) == 0 { faults.kinds.append(.additionsForbidden) }
  }

  /// Snapshots of many slices, written over several commits, and what happens beside them: restarts that read them, and
  /// aborts while they are written. The log is seldom cut, so that it goes on from them.
  private mutating func drawSnapshotFaults(_ random: inout SeededGenerator) {
    func pick<Value>(_ values: [Value]) -> Value { values[Int.random(in: 0..<values.count, using: &random)] }
    faults.kinds += pick([
      [.crashAfterSnapshot], [.abortInSnapshot], [.crashAfterSnapshot, .abortInSnapshot],
    ])
    snapshotSlice = pick([200, 500, 1_000])
    snapshotInterval = pick([300, 1_000, 3_000])
    checkpointFloor = pick([6_000, 300_000])
  }

  /// What the state machines of the run are made with.
  var pipelineLimits: @Sendable (inout Pipeline.Configuration) -> Void {
    let (memberLimit, fanOutLimit) = (memberLimit, fanOutLimit)
    let (fanOutStep, fanOutCountLimit) = (fanOutStep, fanOutCountLimit)
    let (checkpointFloor, checkpointSlice) = (checkpointFloor, checkpointSlice)
    let tickBytes = tickBytes
    return { configuration in
      configuration.windowMemberLimit = memberLimit
      configuration.fanOutLimit = fanOutLimit
      configuration.fanOutStep = fanOutStep
      configuration.fanOutCountLimit = fanOutCountLimit
      configuration.tickBytes = tickBytes
      configuration.checkpointFloor = checkpointFloor
      configuration.checkpointSliceLimit = checkpointSlice
    }
  }

  /// The settings of a process.
  func configuration(instance: String) -> ProcessorConfiguration {
    var configuration = ProcessorConfiguration(prefix: Self.prefix, partitionCount: Int32(partitionCount))
    configuration.workers = workersPerInstance
    configuration.instance = isStatic ? instance : nil
    configuration.commitInterval = .milliseconds(commitInterval)
    configuration.minimumCommitInterval = .milliseconds(minimumCommitInterval)
    configuration.undividedPartitions = undividedPartitions
    configuration.commitTrialDistance = commitTrialDistance
    configuration.commitRecords = commitRecords
    configuration.fanOutBytes = fanOutBytes
    configuration.backlogBytes = backlogBytes
    configuration.frozenLifetime = .milliseconds(frozenLifetime)
    configuration.dedupHorizon = .seconds(60 * horizonMinutes)
    if let snapshotInterval { configuration.snapshotInterval = .milliseconds(snapshotInterval) }
    configuration.snapshotSliceBytes = snapshotSlice
    configuration.heartbeatInterval = .milliseconds(heartbeatInterval)
    configuration.timeZone = MinuteTimes.deploymentZone
    configuration.flaws = flaws
    configuration.pipelineLimits = pipelineLimits
    return configuration
  }

  /// One line for people.
  var summary: String {
    "\(partitionCount) partitions, \(instances) \(isStatic ? "static" : "dynamic") instances of \(workersPerInstance), "
      + "\(duration / 1000) s, horizon \(horizonMinutes) min, \(snapshotInterval == nil ? "no " : "")snapshots, checkpoints from \(checkpointFloor) bytes, "
      + "\(faults.summary)"
  }
}
