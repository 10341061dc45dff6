import Pipeline
import Policy
import Processor

extension ProcessorConfiguration {
  /// The processor of a benchmark at its site.
  init(_ site: BenchSite, workers: Int = 1) {
    self.init(prefix: site.prefix, partitionCount: Int32(clamping: site.partitionCount))
    self.workers = workers
  }

  /// The state machine of a home partition that has decided nothing, as a worker begins with it.
  func startedPipeline(partition: Int32, catalog: Catalog, epoch: UInt64) -> Pipeline {
    var positions = InputPositions()
    for topic in InputTopic.allCases { positions[topic] = 0 }
    var pipeline = Pipeline(configuration: pipeline(partition: partition), catalog: catalog)
    pipeline.start(at: positions, epoch: epoch)
    return pipeline
  }
}
