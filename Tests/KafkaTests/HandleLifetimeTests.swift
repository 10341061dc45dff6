import Foundation
import Testing

/// Runs the program `KafkaHandleUse`, which uses every kind of librdkafka handle and drops it.
@Suite("The handles of librdkafka") struct HandleLifetimeTests {
  private static let valgrind = "/usr/bin/valgrind"

  /// The program lies beside the tests, wherever they were built.
  private static var program: URL {
    URL(fileURLWithPath: CommandLine.arguments[0]).deletingLastPathComponent()
      .appendingPathComponent("KafkaHandleUse")
  }

  private func run(_ arguments: [String]) throws -> (status: Int32, output: String) {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: arguments[0])
    process.arguments = Array(arguments.dropFirst())
    let pipe = Pipe()
    process.standardOutput = pipe
    process.standardError = pipe
    try process.run()
    let output = pipe.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    return (process.terminationStatus, String(decoding: output, as: UTF8.self))
  }

  @Test("no thread of a client is left once its last reference is gone")
  func threads() throws {
    let (status, output) = try run([Self.program.path])
    #expect(status == 0, "\(output)")
    #expect(output.contains("all handles are gone"))
  }

  @Test(
    "no memory is lost and none is used after it was freed, as valgrind sees it",
    .enabled(if: FileManager.default.isExecutableFile(atPath: valgrind), "valgrind is not installed"))
  func memory() throws {
    // What is "possibly lost" is held by libraries for good, by pointers into the middle.
    let (status, output) = try run([
      Self.valgrind, "--quiet", "--leak-check=full", "--show-leak-kinds=definite,indirect",
      "--errors-for-leak-kinds=definite,indirect", "--undef-value-errors=no", "--error-exitcode=9",
      Self.program.path,
    ])
    #expect(status == 0, "\(output)")
    #expect(output.contains("all handles are gone"))
  }
}
