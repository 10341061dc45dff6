import Foundation
import Testing

private let python = "/usr/bin/python3"

/// The crash test is a Python program, so that its checker shares no code with what it checks. What shows that the
/// checker can fail is written beside it.
@Suite(
  "The checker of the crash test",
  .enabled(if: FileManager.default.isExecutableFile(atPath: python), "needs \(python)"))
struct CheckerTests {
  @Test("reports each kind of violation in logs that were doctored, and none in a sound one")
  func doctoredLogs() throws {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: python)
    process.arguments = ["-B", "-m", "unittest", "test_checker"]
    process.currentDirectoryURL = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .deletingLastPathComponent().appendingPathComponent("CrashTest")
    let pipe = Pipe()
    process.standardOutput = pipe
    process.standardError = pipe
    process.standardInput = FileHandle.nullDevice
    let ended = DispatchSemaphore(value: 0)
    process.terminationHandler = { _ in ended.signal() }
    try process.run()
    let output = String(decoding: pipe.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    ended.wait()
    #expect(process.terminationStatus == 0, "\(output)")
    #expect(output.contains("Ran "), "\(output)")
  }
}
