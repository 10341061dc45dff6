import Foundation
import Testing

@testable import tidings

@Suite("The reader of lines")
struct LineReaderTests {
  private struct Line: Equatable {
    let number: Int
    let text: String
    var isCut = false
  }

  private func lines(of path: String, limit: Int = 1000) throws -> [Line] {
    var reader = try LineReader(path: path, limit: limit)
    var lines: [Line] = []
    while let line = try reader.next() {
      lines.append(Line(number: line.number, text: line.bytes.string, isCut: line.isCut))
    }
    return lines
  }

  @Test(
    "blank lines are passed over and counted; line breaks of both kinds and a byte order mark are taken off")
  func plain() throws {
    let folder = try TemporaryFolder()
    let path = try folder.write(Array("\u{FEFF}one\r\n\n  \ntwo\nlast".utf8), to: "lines")
    #expect(
      try lines(of: path) == [
        .init(number: 1, text: "one"), .init(number: 4, text: "two"), .init(number: 5, text: "last"),
      ])
  }

  @Test("an empty file has no lines, and a file of one byte has one")
  func tiny() throws {
    let folder = try TemporaryFolder()
    #expect(try lines(of: try folder.write([], to: "empty")) == [])
    #expect(try lines(of: try folder.write([0x1F], to: "byte")) == [.init(number: 1, text: "\u{1F}")])
  }

  @Test("a line at the limit is whole, a longer one is cut, and the next one is read as it is")
  func longLines() throws {
    let folder = try TemporaryFolder()
    let text = String(repeating: "a", count: 10) + "\n" + String(repeating: "b", count: 11) + "\nc\n"
    #expect(
      try lines(of: try folder.write(Array(text.utf8), to: "short"), limit: 10) == [
        .init(number: 1, text: String(repeating: "a", count: 10)),
        .init(number: 2, text: String(repeating: "b", count: 10), isCut: true),
        .init(number: 3, text: "c"),
      ])
    // Longer than every buffer.
    let huge = String(repeating: "b", count: 3 << 20)
    for (end, rest) in [("\nc", [Line(number: 2, text: "c")]), ("", [])] {
      let path = try folder.write(Array((huge + end).utf8), to: "huge")
      #expect(
        try lines(of: path, limit: 10) == [
          Line(number: 1, text: String(repeating: "b", count: 10), isCut: true)
        ] + rest)
    }
  }

  @Test("what is compressed reads as what is not, also in several members")
  func gzip() throws {
    let folder = try TemporaryFolder()
    var random = SystemRandomNumberGenerator()
    let expected = (1...20_000).map { number in
      Line(number: number, text: "line \(number) \(String(random.next(), radix: 36))")
    }
    let text = expected.map(\.text).joined(separator: "\n")
    let middle = text.utf8.count / 2
    let first = try folder.write(Array(text.utf8.prefix(middle)), to: "a")
    let second = try folder.write(Array(text.utf8.dropFirst(middle)), to: "b")
    try folder.run(["gzip", first, second])
    let members = try ["a.gz", "b.gz"].flatMap {
      Array(try Data(contentsOf: URL(fileURLWithPath: "\(folder.path)/\($0)")))
    }
    // The name does not matter.
    #expect(try lines(of: try folder.write(members, to: "both")) == expected)
  }

  @Test("compressed data that is cut off or damaged is an error that says so")
  func damagedGzip() throws {
    let folder = try TemporaryFolder()
    let plain = try folder.write(Array(String(repeating: "some text\n", count: 5000).utf8), to: "a")
    try folder.run(["gzip", plain])
    let whole = Array(try Data(contentsOf: URL(fileURLWithPath: "\(folder.path)/a.gz")))
    let cut = try folder.write(Array(whole.dropLast(9)), to: "cut")
    let cutError = #expect(throws: InputError.self) { try lines(of: cut) }
    #expect(cutError?.description.contains("cut off") == true)
    var bytes = whole
    bytes[bytes.count / 2] ^= 0xFF
    let damaged = try folder.write(bytes, to: "damaged")
    let damagedError = #expect(throws: InputError.self) { try lines(of: damaged) }
    #expect(damagedError?.description.contains("damaged") == true)
  }

  @Test("a file that is not there is an error with its name")
  func missing() {
    let error = #expect(throws: InputError.self) { _ = try InputFile(path: "/no/such/file") }
    #expect(error?.description.contains("/no/such/file") == true)
  }
}
