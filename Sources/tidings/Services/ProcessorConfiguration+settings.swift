import Processor
import Settings

extension ProcessorConfiguration {
  /// What the settings say of the processor; the rest has the design's defaults.
  init(_ settings: TidingsSettings) {
    self.init(
      prefix: settings.topics.prefix, partitionCount: Int32(clamping: settings.topics.partitions))
    workers = settings.processor.workers
    instance = settings.processor.instance
    timeZone = settings.processor.timeZone
    commitInterval = settings.processor.commitInterval
    commitRecords = settings.processor.maxBatchRecords
    commitBytes = settings.processor.maxBatchBytes
    heartbeatInterval = settings.processor.heartbeatInterval
    recordLimit = settings.processor.recordLimit
    dedupHorizon = settings.processor.dedupHorizon
    stateDirectory = settings.processor.stateDirectory
    snapshotInterval = settings.processor.snapshotInterval
  }
}
