import ArgumentParser

/// `tidings bench`
struct BenchCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "bench",
    abstract: "Measure what Tidings does on this machine and cluster.",
    discussion: """
      Each benchmark measures beside it the least that any program would have to do, in turn, so that its ratio means \
      something on a machine that does other things too. Topics are created under a prefix of their own and deleted \
      afterwards. The cluster, where one is needed, is that of KAFKA_BOOTSTRAP_SERVERS, else that of the configuration if one is named there, \
      else an embedded one, which has room for little.

      Examples:
        KAFKA_BOOTSTRAP_SERVERS=localhost:9092 tidings bench restore
        tidings bench restore --ids 100000 --items 10000 --embedded
        tidings bench pipeline
        tidings bench windows
        KAFKA_BOOTSTRAP_SERVERS=localhost:9092 tidings bench processor
        KAFKA_BOOTSTRAP_SERVERS=localhost:9092 tidings bench all --json > all.json
      """,
    subcommands: [
      BenchPassThroughCommand.self, BenchProcessorCommand.self, BenchPipelineCommand.self,
      BenchWindowsCommand.self, BenchRestoreCommand.self, BenchAllCommand.self, BenchStepCommand.self,
    ])
}
