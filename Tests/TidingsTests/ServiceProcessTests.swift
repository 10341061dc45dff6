import Foundation
import Testing

@Suite("A process that runs for long", .timeLimit(.minutes(2)))
struct ServiceProcessTests {
  /// The program lies beside the tests, wherever they were built.
  private static var program: URL {
    URL(fileURLWithPath: CommandLine.arguments[0]).deletingLastPathComponent()
      .appendingPathComponent("tidings")
  }

  @Test(
    "SIGHUP, which is for the catalog, ends none that has no catalog to read again",
    arguments: [["inbox", "--set", "inbox.port=0"], ["sink", "email", "--set", "email.transport=maildir"]])
  func hangUp(arguments: [String]) throws {
    let folder = try TemporaryFolder()
    let process = Process()
    process.executableURL = Self.program
    // Nobody listens at port 9: it waits for the brokers, as it does for those that are being started.
    process.arguments =
      arguments + ["--set", "kafka.bootstrap.servers=127.0.0.1:9", "--set", "metrics.port=0"]
    process.currentDirectoryURL = URL(fileURLWithPath: folder.path)
    process.standardOutput = FileHandle.nullDevice
    let log = Pipe()
    process.standardError = log
    try process.run()
    // The line says that signals are taken; whatever follows is read to the end, so that the pipe never fills.
    var text = ""
    while !text.contains("started") {
      let bytes = log.fileHandleForReading.availableData
      guard !bytes.isEmpty else { break }
      text += String(decoding: bytes, as: UTF8.self)
    }
    // Of two signals that wait, the kernel delivers the lower number first.
    kill(process.processIdentifier, SIGHUP)
    kill(process.processIdentifier, SIGTERM)
    text += String(decoding: log.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    process.waitUntilExit()
    #expect(process.terminationReason == .exit && process.terminationStatus == 0, "\(text)")
    #expect(text.contains("stopped"))
  }
}
