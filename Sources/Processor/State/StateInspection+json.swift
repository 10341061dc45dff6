import Contract
import Pipeline

extension StateInspection {
  /// The inspection as one JSON object, ended by a newline. Instants are RFC 3339; what is unknown is absent.
  public func json() throws -> String {
    try JSONDocument.text(Document(self), as: .line)
  }

  private struct Document: Encodable {
    struct Log: Encodable {
      let start: Int64
      let end: Int64
      let records: Int
      let bytes: Int64
      let recordsSinceCheckpoint: Int
      let bytesSinceCheckpoint: Int64
      let lastAppended: String?
    }
    struct Input: Encodable {
      let topic: String
      let state: Int64?
      let group: Int64?
      let low: Int64
      let high: Int64
      let verdict: InputAgreement.Verdict
    }
    struct Clock: Encodable {
      let time: String
      let behindMachineMilliseconds: Int64
      let behindBrokerMilliseconds: Int64?
    }
    struct Channel: Encodable {
      let accepted: Int64
      let delivered: Int64
      let suppressed: Int64
      let expired: Int64
      let retracted: Int64
      let collapsed: Int64
      let open: Int64
    }
    struct Law: Encodable {
      let consumed: Int64
      let decided: Int64
      let forwarded: Int64
      let rejected: Int64
      let tombstones: Int64
      let channels: [String: Channel]
    }
    struct FanOut: Encodable {
      let topic: String
      let offset: Int64
      let served: Int
    }
    struct AudienceFanOut: Encodable {
      let tenant: String
      let audience: String
      let source: String
      let event: String
      let topic: String
      let offset: Int64
      let served: UInt64
    }
    struct Member: Encodable {
      let clientID: String
      let host: String
      let instance: String?
    }

    struct Snapshot: Encodable {
      let path: String
      let sequence: UInt64?
      let obstacle: String?
    }

    let topic: String
    let partition: Int32
    let partitions: Int32
    let group: String
    let version: UInt8?
    let epoch: String?
    let sequence: UInt64?
    let decisions: UInt64?
    let log: Log
    let inputs: [Input]
    let timerClock: Clock?
    let inputClock: Clock?
    let counters: Law?
    let difference: Int64?
    let ids: Int
    let openWindows: Int
    let facts: Int
    let factsRefused: Int64?
    let nextDue: String?
    let liveBytes: Int64
    let logBytes: Int64?
    let checkpointShare: Double?
    let fanOut: FanOut?
    let fanOuts: [AudienceFanOut]
    let members: [Member]?
    let snapshot: Snapshot?
    let problems: [String]

    init(_ inspection: StateInspection) {
      let header = inspection.header
      topic = inspection.log.place.topic
      partition = inspection.log.place.partition
      partitions = inspection.partitionCount
      group = inspection.group
      version = inspection.version
      epoch = header.map { StateInspection.hex($0.epoch) }
      sequence = header?.sequence
      decisions = header?.decisions
      log = Log(
        start: inspection.log.start, end: inspection.log.end, records: inspection.log.records,
        bytes: inspection.log.bytes, recordsSinceCheckpoint: inspection.log.recordsSinceCheckpoint,
        bytesSinceCheckpoint: inspection.log.bytesSinceCheckpoint,
        lastAppended: inspection.log.lastAppended.map { InstantText($0).description })
      inputs = inspection.inputs.map {
        Input(
          topic: $0.place.topic, state: $0.state, group: $0.group, low: $0.low, high: $0.high,
          verdict: $0.verdict)
      }
      let clock = { (milliseconds: Int64) in
        Clock(
          time: InstantText(milliseconds).description,
          behindMachineMilliseconds: inspection.now - milliseconds,
          behindBrokerMilliseconds: inspection.log.lastAppended.map { $0 - milliseconds })
      }
      timerClock = header.map { clock($0.timerClock) }
      inputClock = header.map { clock($0.inputClock) }
      counters = header.map { Self.law($0.counters) }
      difference = header?.counters.difference
      ids = inspection.ids
      openWindows = inspection.openWindows
      facts = inspection.facts
      factsRefused = header?.counters.factsRefused
      nextDue = inspection.nextDue.map { InstantText($0).description }
      liveBytes = inspection.liveBytes
      logBytes = header?.logBytes
      checkpointShare = header?.checkpointShare
      fanOut = header?.fanOut.map { FanOut(topic: $0.topic.name, offset: $0.offset, served: $0.served) }
      fanOuts = inspection.fanOuts.map {
        AudienceFanOut(
          tenant: $0.tenant, audience: $0.audience, source: $0.source, event: $0.event, topic: $0.topic.name,
          offset: $0.offset, served: $0.served)
      }
      members = inspection.members?.map {
        Member(clientID: $0.clientID, host: $0.host, instance: $0.groupInstanceID)
      }
      snapshot = inspection.snapshot.map {
        Snapshot(path: $0.path, sequence: $0.sequence, obstacle: $0.obstacle)
      }
      problems = inspection.problems.map(\.description)
    }

    private static func law(_ counters: Counters) -> Law {
      var channels: [String: Channel] = [:]
      for channel in Contract.Channel.allCases {
        let count = counters[channel]
        channels[channel.name] = Channel(
          accepted: count.accepted, delivered: count.delivered, suppressed: count.suppressed.total,
          expired: count.expired, retracted: count.retracted, collapsed: count.collapsed, open: count.open)
      }
      return Law(
        consumed: counters.consumed, decided: counters.decided, forwarded: counters.forwarded,
        rejected: counters.rejected, tombstones: counters.tombstones, channels: channels)
    }
  }

  /// 16 hexadecimal digits.
  static func hex(_ value: UInt64) -> String {
    var buffer = OutputBuffer(capacity: 16)
    buffer.append(hex: value)
    return buffer.view.string
  }
}
