import Contract
import Kafka
import Pipeline

/// What an export wrote.
public struct StateExportCount: Sendable, Equatable {
  /// Open windows.
  public var windows = 0
  /// Notifications in them.
  public var members = 0
  /// Ids.
  public var ids = 0
  /// Facts.
  public var facts = 0
  /// Fan-outs to audiences that are not finished.
  public var fanOuts = 0
}

extension StateTool {
  /// Writes the whole state as lines of JSON in a canonical order, so that two exports can be compared: a header, the
  /// open windows, the ids, the facts, the fan-outs. `docs/operations.md` describes the lines. The memory that it takes is that of the state.
  ///
  /// - Parameter write: takes some lines at a time.
  /// - Throws: as ``inspect(progress:)``; `ProcessorFault.state` for a state that cannot be used,
  ///   `StateToolFault.noState`; what `write` throws.
  public func export(
    progress: (StateReadProgress) -> Void = { _ in }, to write: (ByteView) throws -> Void
  ) throws -> StateExportCount {
    try checkTopics()
    let members = try members()
    let (state, inputs) = try look(isMoving: members?.isEmpty == false, progress: progress)
    if let (fault, offset) = state.fault {
      throw ProcessorFault.state(fault, topic: place.topic, partition: partition, offset: offset)
    }
    guard let header = state.lastHeader else { throw StateToolFault.noState(place) }
    var lines = StateLines(limit: 64 << 10)
    var count = StateExportCount()
    lines.append(header, of: place, configuration.partitionCount, state, inputs)
    try state.pipeline.forEachOpenWindow { window throws in
      count.windows += 1
      count.members += window.memberCount
      lines.append(window)
      if lines.isFull { try lines.flush(to: write) }
    }
    try state.pipeline.forEachID { hash, seen throws in
      count.ids += 1
      lines.append(id: hash, seen: seen)
      if lines.isFull { try lines.flush(to: write) }
    }
    try state.pipeline.forEachFact { fact throws in
      count.facts += 1
      lines.append(fact)
      if lines.isFull { try lines.flush(to: write) }
    }
    for fanOut in state.pipeline.pendingFanOuts {
      count.fanOuts += 1
      lines.append(fanOut)
      if lines.isFull { try lines.flush(to: write) }
    }
    try lines.flush(to: write)
    return count
  }
}

/// The lines of an export that wait to be written.
private struct StateLines: ~Copyable {
  private var buffer: OutputBuffer
  private let limit: Int

  init(limit: Int) {
    self.limit = limit
    buffer = OutputBuffer(capacity: limit + 4096)
  }

  var isFull: Bool { buffer.count >= limit }

  mutating func flush(to write: (ByteView) throws -> Void) throws {
    try write(buffer.view)
    buffer.removeAll()
  }

  mutating func append(
    _ header: StateHeader, of place: TopicPartition, _ partitionCount: Int32, _ state: RestoredState,
    _ inputs: [InputAgreement]
  ) {
    buffer.append("{\"schema\":\"tidings.state.v1\",\"topic\":")
    buffer.append(jsonString: place.topic)
    number(",\"partition\":", Int64(place.partition))
    number(",\"partitions\":", Int64(partitionCount))
    number(",\"version\":", Int64(state.version ?? 0))
    buffer.append(",\"epoch\":\"")
    buffer.append(hex: header.epoch)
    number("\",\"sequence\":", Int64(clamping: header.sequence))
    number(",\"decisions\":", Int64(clamping: header.decisions))
    buffer.append(",\"positions\":{")
    for (index, input) in inputs.enumerated() {
      if index > 0 { buffer.append(byte: UInt8(ascii: ",")) }
      buffer.append(jsonString: input.topic.name)
      number(":", header.positions[input.topic])
    }
    instant("},\"inputClock\":", header.inputClock)
    instant(",\"timerClock\":", header.timerClock)
    number(",\"difference\":", header.counters.difference)
    number(",\"accepted\":", header.counters.total.accepted)
    number(",\"open\":", header.counters.total.open)
    number(",\"windows\":", Int64(state.pipeline.openWindowCount))
    number(",\"ids\":", Int64(state.pipeline.idCount))
    number(",\"facts\":", Int64(state.pipeline.factCount))
    number(",\"fanOuts\":", Int64(state.pipeline.fanOutCount))
    buffer.append("}\n")
  }

  mutating func append(_ window: OpenWindow) {
    buffer.append("{\"window\":\"")
    buffer.append(hex: window.id)
    buffer.append("\",\"key\":\"")
    buffer.append(hex: window.key)
    text("\",\"tenant\":", window.tenant)
    text(",\"recipient\":", window.recipient)
    buffer.append(",\"channel\":")
    buffer.append(jsonString: window.channel.name)
    text(",\"group\":", window.group)
    text(",\"category\":", window.category)
    text(",\"type\":", window.type)
    text(",\"title\":", window.title)
    instant(",\"opened\":", window.opened)
    instant(",\"due\":", window.due)
    buffer.append(",\"catalog\":\"")
    buffer.append(hex: window.catalogVersion)
    buffer.append("\",\"members\":[")
    var isFirst = true
    window.forEachMember { notification, expiry, item in
      buffer.append(isFirst ? "{\"notification\":\"" : ",{\"notification\":\"")
      isFirst = false
      buffer.append(hex: notification)
      buffer.append(byte: UInt8(ascii: "\""))
      if let expiry { instant(",\"expiry\":", expiry) }
      if !item.isEmpty {
        buffer.append(",\"item\":")
        buffer.append(item)
      }
      buffer.append(byte: UInt8(ascii: "}"))
    }
    buffer.append("]}\n")
  }

  mutating func append(id: Hash128, seen: Int64) {
    buffer.append("{\"id\":\"")
    buffer.append(hex: id)
    instant("\",\"seen\":", seen)
    buffer.append("}\n")
  }

  mutating func append(_ fact: RememberedFact) {
    buffer.append("{\"fact\":\"")
    buffer.append(hex: fact.key)
    buffer.append("\",\"kind\":")
    buffer.append(jsonString: fact.kind)
    if let until = fact.until { instant(",\"until\":", until) }
    if let value = fact.number { number(",\"value\":", Int64(bitPattern: value)) }
    buffer.append("}\n")
  }

  mutating func append(_ fanOut: PendingFanOut) {
    buffer.append("{\"fanOut\":\"")
    buffer.append(hex: fanOut.key)
    buffer.append("\",\"tenant\":")
    buffer.append(jsonString: fanOut.tenant)
    buffer.append(",\"audience\":")
    buffer.append(jsonString: fanOut.audience)
    buffer.append(",\"source\":")
    buffer.append(jsonString: fanOut.source)
    buffer.append(",\"event\":")
    buffer.append(jsonString: fanOut.event)
    buffer.append(",\"topic\":")
    buffer.append(jsonString: fanOut.topic.name)
    number(",\"offset\":", fanOut.offset)
    number(",\"served\":", Int64(clamping: fanOut.served))
    buffer.append("}\n")
  }

  private mutating func number(_ name: StaticString, _ value: Int64) {
    buffer.append(name)
    buffer.append(decimal: value)
  }

  private mutating func text(_ name: StaticString, _ value: ByteView) {
    buffer.append(name)
    buffer.append(jsonString: value)
  }

  private mutating func instant(_ name: StaticString, _ milliseconds: Int64) {
    buffer.append(name)
    buffer.append(jsonTime: milliseconds)
  }
}
