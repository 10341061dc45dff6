import Benchmarks
import Dispatch
import Foundation
import Kafka
import Synchronization

/// Runs each step of a benchmark in a process of its own: this program as `tidings bench step`.
final class ChildSteps: StepRunner {
  private struct State {
    var children: Set<pid_t> = []
    var isStopped = false

    /// By the signal that a process cannot ignore: one that was only just made ignores what this one does.
    func endChildren() {
      for child in children { kill(child, SIGKILL) }
    }
  }

  /// Watches a signal for as long as it is kept. Sendable: any thread may use a dispatch source.
  private struct SignalSource: @unchecked Sendable {
    let source: any DispatchSourceSignal
  }

  private let cluster: BenchStepRequest.Cluster?
  private let isVerbose: Bool
  private let state = Mutex(State())
  private let sources = Mutex<[SignalSource]>([])
  /// Held while a process is made: one that is made meanwhile would inherit its pipes, and keep them from ending.
  private let making = Mutex(())

  /// - Parameter cluster: where the steps run; nil for those that need none.
  init(_ cluster: BenchStepRequest.Cluster?, isVerbose: Bool) {
    self.cluster = cluster
    self.isVerbose = isVerbose
  }

  /// Makes SIGINT and SIGTERM end the steps that run and all that would follow, so that the benchmark ends with its
  /// topics deleted. A second signal ends this process.
  func stopOnSignals() {
    for number in [SIGINT, SIGTERM] {
      signal(number, SIG_IGN)
      let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
      source.setEventHandler { [self] in
        signal(number, SIG_DFL)
        state.withLock { state in
          state.isStopped = true
          state.endChildren()
          // What runs now is not a step of these, and leaves nothing behind that this process has to delete.
          if state.children.isEmpty, cluster == nil { raise(number) }
        }
      }
      source.resume()
      let kept = SignalSource(source: source)
      sources.withLock { $0.append(kept) }
    }
  }

  var isolatesSteps: Bool { true }

  func cancel() {
    state.withLock { $0.endChildren() }
  }

  func run(
    _ step: Step, prefix: String, onProgress: @escaping (StepProgress) -> Void
  ) throws -> StepResult {
    guard let program = Bundle.main.executableURL else {
      throw CommandEnd(.failed, "the path of this program is not known, so that no step can be run")
    }
    let process = Process()
    process.executableURL = program
    process.arguments = ["bench", "step"]
    // By standard input: arguments are for everybody to see, and properties may be secrets.
    let (input, output) = try making.withLock { _ in
      let (input, output) = (Pipe(), Pipe())
      process.standardInput = input
      process.standardOutput = output
      try process.run()
      return (input, output)
    }
    let child = process.processIdentifier
    let isStopped = state.withLock { state in
      state.children.insert(child)
      return state.isStopped
    }
    defer {
      _ = state.withLock { $0.children.remove(child) }
      if process.isRunning { process.terminate() }
    }
    if isStopped { throw CommandEnd(.failed, "stopped") }
    let request = BenchStepRequest(
      cluster: cluster, prefix: prefix, isVerbose: isVerbose, step: step)
    try input.fileHandleForWriting.write(contentsOf: try JSONEncoder().encode(request))
    try input.fileHandleForWriting.close()
    var result: StepResult?
    try readLines(output.fileHandleForReading) { line in
      switch try JSONDecoder().decode(BenchStepMessage.self, from: line) {
      case .progress(let progress): onProgress(progress)
      case .result(let found): result = found
      }
    }
    process.waitUntilExit()
    if state.withLock({ $0.isStopped }) { throw CommandEnd(.failed, "stopped") }
    guard process.terminationStatus == 0, let result else {
      throw CommandEnd(
        .failed,
        "a step of the benchmark ended with status \(process.terminationStatus); its message is above")
    }
    return result
  }

  private func readLines(_ file: FileHandle, _ body: (Data) throws -> Void) throws {
    var rest = Data()
    while let chunk = try file.read(upToCount: 4096), !chunk.isEmpty {
      rest.append(chunk)
      while let end = rest.firstIndex(of: UInt8(ascii: "\n")) {
        try body(rest[rest.startIndex..<end])
        rest = Data(rest[rest.index(after: end)...])
      }
    }
  }
}

/// What `tidings bench step` reads from standard input.
struct BenchStepRequest: Codable {
  /// How the cluster is reached, and how topics are cut there.
  struct Cluster: Codable {
    var bootstrapServers: String
    var properties: [String: String]
    var partitionCount: Int
  }

  var cluster: Cluster?
  var prefix: String
  var isVerbose: Bool
  var step: Step
}

/// What it writes to standard output, one a line.
enum BenchStepMessage: Codable {
  case progress(StepProgress)
  case result(StepResult)
}
