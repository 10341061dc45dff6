import Foundation
import Testing

@testable import tidings

@Suite("What is shown")
struct TerminalTests {
  /// What is written by `body` to a terminal that can or cannot draw over lines.
  private func written(isInteractive: Bool, _ body: (Terminal) -> Void) throws -> String {
    let pipe = Pipe()
    body(Terminal(descriptor: pipe.fileHandleForWriting.fileDescriptor, isInteractive: isInteractive))
    try pipe.fileHandleForWriting.close()
    return String(decoding: pipe.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
  }

  @Test("digits are grouped by three, and nouns are plural except for one")
  func numbers() {
    #expect(
      [0, 999, 1000, 12_830, -1_234_567].map(\.grouped) == ["0", "999", "1,000", "12,830", "-1,234,567"])
    #expect(0.counted("event") == "0 events" && 1.counted("event") == "1 event")
  }

  @Test("on a terminal, lines take the place of those before")
  func interactive() throws {
    let text = try written(isInteractive: true) { terminal in
      var lines = LiveLines(terminal)
      lines.show(["a", "b"], plain: "p")
      lines.show(["c"], plain: "q")
      lines.finish(plain: "q")
    }
    #expect(text == "a\nb\n\u{1B}[2F\u{1B}[Jc\n")
  }

  @Test("in a pipe, there is one line for each change, without escapes, and the last state is always there")
  func plain() throws {
    let text = try written(isInteractive: false) { terminal in
      var lines = LiveLines(terminal, plainInterval: .seconds(3600))
      for number in 1...5 { lines.show(["x"], plain: "\(number)") }
      lines.finish(plain: "5")
      lines.finish(plain: "5")
    }
    #expect(text == "1\n5\n")
  }

  @Test("a bar is empty at least and full at most, whatever share it is given")
  func bar() throws {
    let text = try written(isInteractive: true) { terminal in
      var bar = ProgressBar(terminal)
      for share in [-0.1, 0.5, 1.1, .nan, .infinity] { bar.show(share: share, text: "x", count: 0) }
    }
    // Without the escapes, which have digits, too. The same line is not drawn again.
    let shown = text.split(separator: "\n").map { line in line.drop { !"█░".contains($0) } }
    let expected = [(0, "0 %"), (15, "50 %"), (30, "100 %"), (0, "0 %"), (30, "100 %")]
    #expect(shown.map { line in line.count { $0 == "█" } } == expected.map(\.0))
    #expect(zip(shown, expected).allSatisfy { $0.hasSuffix(" \($1.1)  x") }, "\(text)")
  }

  @Test(
    "what could not be written is remembered in the system's words",
    .enabled(if: access("/dev/full", W_OK) == 0, "needs /dev/full"))
  func fullDisk() throws {
    let file = try #require(FileHandle(forWritingAtPath: "/dev/full"))
    let terminal = Terminal(descriptor: file.fileDescriptor, isInteractive: false)
    #expect(terminal.failure == nil)
    terminal.writeLine("a report")
    #expect(terminal.failure == "No space left on device")
    // Copies of a terminal are the same one.
    let copy = terminal
    #expect(copy.failure != nil)
  }

  @Test("a reader that went away is no failure")
  func closedPipe() throws {
    signal(SIGPIPE, SIG_IGN)
    let pipe = Pipe()
    try pipe.fileHandleForReading.close()
    let terminal = Terminal(
      descriptor: pipe.fileHandleForWriting.fileDescriptor, isInteractive: false)
    terminal.writeLine("a report")
    #expect(terminal.failure == nil)
  }
}
