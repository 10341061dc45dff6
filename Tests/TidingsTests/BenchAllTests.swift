import Testing

@testable import tidings

@Suite struct BenchAllTests {
  private struct Report: BenchReport {
    let table: String
    func json() throws -> String { table }
  }

  private struct Failure: Error {}

  @Test("the reports that there are are written where a later benchmark fails, and none is run behind it")
  func failure() throws {
    var written: [[String]] = []
    var shown: [String] = []
    #expect(throws: Failure.self) {
      try BenchAllCommand.run(
        [
          { Report(table: "first") }, { Report(table: "second") }, { throw Failure() },
          { Report(table: "last") },
        ],
        onReport: { shown.append($0.table) }, atEnd: { written.append($0.map(\.table)) })
    }
    #expect(shown == ["first", "second"])
    #expect(written == [["first", "second"]])
  }

  @Test("nothing is written where the first benchmark fails")
  func nothing() {
    var isWritten = false
    #expect(throws: Failure.self) {
      try BenchAllCommand.run([{ throw Failure() }], onReport: { _ in }, atEnd: { _ in isWritten = true })
    }
    #expect(!isWritten)
  }
}
