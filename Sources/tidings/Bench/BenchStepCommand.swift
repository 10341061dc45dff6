import ArgumentParser
import Benchmarks
import Foundation
import Kafka
import Logging
import Operations

/// `tidings bench step`: one step in a process of its own. Not for people.
struct BenchStepCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "step", abstract: "Run one step of a benchmark, as another process asks.",
    shouldDisplay: false)

  func run() throws {
    // The parent ignores these, and what it ignores is inherited.
    for number in [SIGINT, SIGTERM] { signal(number, SIG_DFL) }
    guard let input = try FileHandle.standardInput.readToEnd(),
      let request = try? JSONDecoder().decode(BenchStepRequest.self, from: input)
    else { throw CommandEnd(.usage, "bench step is run by the other benchmarks: use one of those") }
    Operations.LogFormat.text.bootstrap(level: request.isVerbose ? .info : .warning)
    CommitTimes.collect()
    let site = try request.cluster.map { cluster in
      BenchSite(
        cluster: try LibrdkafkaCluster(
          ClientConfiguration(
            bootstrapServers: cluster.bootstrapServers, clientID: "tidings-bench",
            properties: cluster.properties, logger: Logger(label: "tidings.kafka"))),
        prefix: request.prefix, partitionCount: cluster.partitionCount,
        logger: Logger(label: "tidings.bench"))
    }
    let result = try LocalSteps(site).run(request.step, prefix: request.prefix) { progress in
      write(.progress(progress))
    }
    write(.result(result))
  }

  private func write(_ message: BenchStepMessage) {
    guard let line = try? JSONEncoder().encode(message) else { return }
    Terminal.output.writeLine(String(decoding: line, as: UTF8.self))
  }
}
