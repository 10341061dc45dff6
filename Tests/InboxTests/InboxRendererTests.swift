import Contract
import Foundation
import Logging
import Testing

@testable import Inbox

@Suite("Rendering for the inbox")
struct InboxRendererTests {
  private func entry(_ json: [UInt8]) throws -> InboxEntry {
    var decoder = try DeliveryDecoder()
    let delivery = try json.withUnsafeBytes { try decoder.decode(ByteView($0)) }
    let renderer = InboxRenderer(logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
    return renderer.entry(for: delivery)
  }

  @Test("title and link are the catalog's templates with the event's fields")
  func single() throws {
    let entry = try entry(Fixture.delivery(1, tenant: "t"))
    #expect(entry.title == "bob: Hello")
    #expect(entry.link == "https://example.org/1")
    #expect(entry.recipient == InboxRecipient(tenant: "t", recipient: "ada"))
    #expect(entry.delivery == Fixture.id(1))
    #expect(entry.createdMilliseconds == 1_767_225_601_000)
  }

  @Test("a digest has the digest's title, its totals and no link")
  func digest() throws {
    let entry = try entry(Fixture.delivery(1, events: 12))
    #expect(entry.title == "12 commits by 1")
    #expect(entry.link == nil)
    #expect(entry.eventCount == 12)
    #expect(entry.kind == "digest")
  }

  @Test("a digest of several categories names none of them")
  func severalCategories() throws {
    let entry = try entry(Fixture.delivery(1, events: 12, ofSeveralCategories: true))
    #expect(entry.title == "12 notifications")
    #expect(entry.category.isEmpty)
  }

  @Test("markup in the data stays text, on one line")
  func markup() throws {
    let entry = try entry(
      Fixture.delivery(1, data: ["title": "<script>alert(\"1\")</script>\n & \u{0}\tmore"]))
    #expect(entry.title == "bob: <script>alert(\"1\")</script> & more")
  }

  @Test("a title that does not compile, or is empty, falls back to the type")
  func fallback() throws {
    #expect(try entry(Fixture.delivery(1, title: "{{#open}")).title == "git.commit.pushed")
    #expect(try entry(Fixture.delivery(1, title: "{{data.nothing}}")).title == "git.commit.pushed")
  }

  @Test("a link that runs code, hides its target or has no place is left out")
  func links() {
    for link in [
      "javascript:alert(1)", "JaVaScRiPt:alert(1)", " javascript:alert(1)", "java\nscript:alert(1)",
      "data:text/html,x",
      "vbscript:x", "//evil.example", "/\\evil.example", "\\\\evil", "http://", "file:///etc/passwd", "",
      "relative",
      "https://example.org/a b", "https://x/" + String(repeating: "a", count: 3000),
    ] {
      #expect(InboxRenderer.safeLink(link) == nil, "\(link)")
    }
    for link in ["https://example.org/x?y=1#z", "HTTP://example.org", "/commits/1", "/"] {
      #expect(InboxRenderer.safeLink(link) == link)
    }
  }
}
