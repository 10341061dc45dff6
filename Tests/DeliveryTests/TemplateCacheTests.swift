import Logging
import Testing

@testable import Delivery

@Suite("The compiled templates")
struct TemplateCacheTests {
  @Test(
    "what a catalog accepts compiles",
    arguments: [
      // As PolicyTests has them.
      "plain", "{{data.a.b}}", "{{{data.a}}}", "{{& data.a}}", "{{ actor }}", "{{! a note }}x",
      "{{#data.files}}{{.}}, {{name}}{{/data.files}}", "{{^actor}}somebody{{/actor}}",
      "{{uppercased(data.title)}}", "{{#reversed(data.files)}}{{.}}{{/reversed(data.files)}}",
      "{{uppercased(first(data.files))}}",
      "{{#data.files}}{{^first()}}, {{/first()}}{{index()}}{{/data.files}}",
      "{{data.a-b_c?}}", "{{{ actor }}}", "{{#data.a}}{{.b}}{{uppercased(.)}}{{/data.a}}",
      "{ not a tag }",
    ])
  func accepted(template: String) {
    let cache = TemplateCache(logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
    #expect(cache.render(template, [:]) != nil)
  }

  @Test("the transforms of the documentation yield something")
  func transforms() {
    let cache = TemplateCache(logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
    let fields: [String: Any] = [
      "data": TemplateFields.value(
        .object(["title": .string("moved"), "files": .array([.string("a"), .string("b")])])),
      "totals": ["events": 3],
    ]
    for (template, text) in [
      ("{{uppercased(data.title)}}", "MOVED"), ("{{count(data.files)}}", "2"),
      ("{{even(count(data.files))}}", "true"), ("{{uppercased(last(data.files))}}", "B"),
      ("{{plusone(totals.events)}}", "4"),
      ("{{#data.files}}{{index()}}{{.}}{{^last()}}, {{/last()}}{{/data.files}}", "0a, 1b"),
    ] {
      #expect(cache.render(template, fields) == text, "\(template)")
    }
  }

  @Test("templates that a String takes for the same give their own bytes each")
  func spellings() {
    let cache = TemplateCache(logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
    for template in ["Zo\u{E9}", "Zoe\u{301}", "Kate", "\u{212A}ate"] {
      let text = cache.render(template, [:])
      #expect(text.map { Array($0.utf8) } == Array(template.utf8))
    }
  }
}
