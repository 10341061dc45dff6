import Foundation
import Logging
import Synchronization
import Testing

@testable import Operations

@Suite("The console log")
struct ConsoleLogHandlerTests {
  private func line(_ format: LogFormat, _ body: (Logger) -> Void) -> String {
    let text = Mutex("")
    let logger = Logger(label: "tidings.test") { label in
      ConsoleLogHandler(label: label, format: format, level: .info) { line in
        text.withLock { $0 += line.string }
      }
    }
    body(logger)
    return text.withLock { $0 }
  }

  @Test("a line for people holds time, level, logger, message and sorted metadata")
  func text() throws {
    let text = line(.text) { logger in
      logger.warning("slow commit", metadata: ["topic": "tidings.state", "elapsed": "1 s", "empty": ""])
    }
    let time = #/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z /#
    #expect(text.prefixMatch(of: time) != nil, "\(text)")
    let rest = "WARNING  tidings.test: slow commit elapsed=\"1 s\" empty=\"\" topic=tidings.state\n"
    #expect(text.hasSuffix("Z " + rest), "\(text)")
  }

  @Test("a message that quotes input cannot forge a second line or move the cursor")
  func injection() {
    let text = line(.text) { $0.info("key a\r\nb\u{1B}[2J", metadata: ["k": "x\ny"]) }
    #expect(text.unicodeScalars.filter { $0 == "\n" }.count == 1)
    #expect(!text.contains("\u{1B}"))
    #expect(text.contains(#"key a\r\nb\u{1b}[2J k=x\ny"#))
  }

  @Test("a JSON line is one JSON object whatever the message holds")
  func json() throws {
    let text = line(.json) { logger in
      logger.error(
        "bad \"key\"\n\u{0}", metadata: ["list": ["a", "b"], "map": ["x": "1", "y": .stringConvertible(2)]])
    }
    #expect(text.filter { $0 == "\n" }.count == 1)
    let object = try #require(try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any])
    #expect(object["level"] as? String == "error")
    #expect(object["message"] as? String == "bad \"key\"\n\u{0}")
    let metadata = try #require(object["metadata"] as? [String: Any])
    #expect(metadata["list"] as? [String] == ["a", "b"])
    #expect(metadata["map"] as? [String: String] == ["x": "1", "y": "2"])
  }

  @Test("levels below the set one are left out")
  func level() {
    #expect(line(.text) { $0.debug("nothing") }.isEmpty)
  }
}
