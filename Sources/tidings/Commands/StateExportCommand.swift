import ArgumentParser
import Contract
import Foundation
import Processor

/// `tidings state export`
struct StateExportCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "export",
    abstract:
      "Write the whole state as lines of JSON: a header, the open windows, the ids, the facts, the fan-outs.",
    discussion: """
      For support, and for comparing two states with diff: the order of the lines is that of the state itself. Ids and \
      facts are hashes; no command reads them in again. Items hold what events said: treat the file as you treat the events.

      Examples:
        tidings state export --partition 3 > state-3.ndjson
        tidings state export --partition 3 | grep '^{"window"' | jq -r '[.recipient, .due, (.members | length)] | @tsv'
        tidings state export --partition 3 --output state-3.ndjson
      """)

  @OptionGroup var options: StateOptions

  @Option(
    name: .shortAndLong,
    help: ArgumentHelp("The file to write; it must not exist. Standard output without.", valueName: "file"))
  var output: String?

  func run() throws {
    let tool = try options.makeTool()
    let count =
      try output.map { file in try NewFile.make(file) { try Self.export(tool, to: $0) } }
      ?? Self.export(tool, to: STDOUT_FILENO)
    Terminal.error.writeLine(
      "\(count.windows.counted("open window")) with \(count.members.counted("notification")), "
        + count.ids.counted("id"))
  }

  private static func export(_ tool: StateTool, to descriptor: Int32) throws -> StateExportCount {
    var progress = StateProgress()
    return try tool.export(progress: { progress.show($0) }) { lines throws in
      progress.clear()
      try write(lines, to: descriptor)
    }
  }

  private static func write(_ bytes: ByteView, to descriptor: Int32) throws {
    var position = 0
    while let start = bytes.start, position < bytes.count {
      let written = Foundation.write(descriptor, start + position, bytes.count - position)
      if written < 0, errno == EINTR { continue }
      guard written > 0 else {
        throw CommandEnd(.failed, "the export is incomplete: \(String(cString: strerror(errno)))")
      }
      position += written
    }
  }
}
