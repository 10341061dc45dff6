import Foundation
import Testing

@testable import tidings

@Suite("A file that a command makes")
struct NewFileTests {
  private struct Failure: Error {}

  @Test("is taken away where it does not become whole, so that the command can be given again")
  func failure() throws {
    let folder = try TemporaryFolder()
    let path = "\(folder.path)/state.ndjson"
    #expect(throws: Failure.self) {
      try NewFile.make(path) { descriptor in
        #expect(write(descriptor, "a", 1) == 1)
        throw Failure()
      }
    }
    #expect(!FileManager.default.fileExists(atPath: path))
    let written = try NewFile.make(path) { write($0, "b", 1) }
    #expect(written == 1)
    #expect(try String(contentsOfFile: path, encoding: .utf8) == "b")
  }

  @Test("is never one that was there before")
  func existing() throws {
    let folder = try TemporaryFolder()
    let path = try folder.write([65], to: "precious")
    let end = #expect(throws: CommandEnd.self) {
      try NewFile.make(path) { _ in Issue.record("called with a file that was there before") }
    }
    #expect(end?.status == .usage && end?.message?.contains("precious: File exists") == true)
    #expect(try String(contentsOfFile: path, encoding: .utf8) == "A")
  }
}
