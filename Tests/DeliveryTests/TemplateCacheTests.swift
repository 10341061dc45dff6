import Logging
import Testing

@testable import Delivery

@Suite("The compiled templates")
struct TemplateCacheTests {
  @Test("templates that a String takes for the same give their own bytes each")
  func spellings() {
    let cache = TemplateCache(logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
    for template in ["Zo\u{E9}", "Zoe\u{301}", "Kate", "\u{212A}ate"] {
      let text = cache.render(template, [:])
      #expect(text.map { Array($0.utf8) } == Array(template.utf8))
    }
  }
}
