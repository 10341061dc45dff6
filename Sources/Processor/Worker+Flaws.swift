import Contract
import Kafka
import Pipeline

/// What the worker's deliberate mistakes (`Flaws`) need to remember; nothing where they are not built in.
struct FlawMemory {
  #if TIDINGS_FLAWS
    var heldStateRecords: [Int32: [UInt8]] = [:]
    var firstMetadata: (any GroupMetadata)?
  #endif
}

#if TIDINGS_FLAWS
  extension Worker {
    /// Does to a sealed batch what is wrong, before its state record is sent.
    func spoil(_ sealed: SealedCommit, of home: HomePartition, _ record: inout OutputBuffer) {
      if configuration.flaws.contains(.headerInOtherTransaction) {
        exchangeStateRecord(of: home.partition, &record)
      }
      if configuration.flaws.contains(.truncatedBeforeConfirmed), sealed.endsCheckpoint,
        let start = home.checkpointStart
      {
        truncation.truncate(
          TopicPartition(topic: configuration.stateTopic, partition: home.partition), before: start)
      }
    }

    /// Puts the state record of the batch before in the place of this one's.
    private func exchangeStateRecord(of partition: Int32, _ record: inout OutputBuffer) {
      let bytes = Array(record.view.buffer)
      if let held = flawMemory.heldStateRecords[partition] {
        record.removeAll()
        held.withUnsafeBytes { record.append(ByteView($0)) }
      }
      flawMemory.heldStateRecords[partition] = bytes
    }

    /// The group's metadata that a transaction is sent with.
    func flawedMetadata(_ group: any GroupMetadata) -> any GroupMetadata {
      if flawMemory.firstMetadata == nil { flawMemory.firstMetadata = group }
      guard configuration.flaws.contains(.staleGroupMetadata) else { return group }
      return flawMemory.firstMetadata ?? group
    }
  }
#endif
