import Contract
import Foundation
import Logging
import Testing

@testable import EmailSink

@Suite("what a mail says")
struct EmailRendererTests {
  private func content(
    items: [[String: Any]] = [DeliverySamples.item()], data: [String: Any?] = [:]
  ) throws -> EmailRenderer.Content {
    try EmailRenderer(logger: Logger(label: "test")).content(
      of: DeliverySamples.delivery(items: items, data: data))
  }

  @Test("a single notification has its title as subject, and title, actor, time and link in both bodies")
  func single() throws {
    let content = try content()
    #expect(content.subject == "u3: Fix the thing")
    #expect(
      content.text == """
        u3: Fix the thing
        u3, 20 Nov 2026 at 12:00 (UTC)
        https://example.org/c/1

        --\u{20}
        You receive this as u1. Category: code

        """)
    #expect(content.html.contains("<a href=\"https://example.org/c/1\""))
    #expect(content.html.contains(">u3: Fix the thing</a>"))
  }

  @Test("a digest has its own title, lists its items and says how many more there are")
  func digest() throws {
    let items = (1...3).map { DeliverySamples.item(id: "e\($0)", data: ["title": "change \($0)"]) }
    let content = try content(
      items: items, data: ["kind": "digest", "totals": ["events": 12, "actors": 4]])
    #expect(content.subject == "12 commits by 4 people")
    #expect(
      content.text == """
        12 commits by 4 people

        * u3: change 1
          u3, 20 Nov 2026 at 12:00 (UTC)

        * u3: change 2
          u3, 20 Nov 2026 at 12:00 (UTC)

        * u3: change 3
          u3, 20 Nov 2026 at 12:00 (UTC)

        ... and 9 more.

        --\u{20}
        You receive this as u1. Category: code

        """)
    #expect(content.html.contains("<p>… and 9 more.</p>"))
  }

  @Test("a digest whose first items had all expired says how many there are")
  func digestWithoutItems() throws {
    let content = try content(items: [], data: ["kind": "digest", "totals": ["events": 3, "actors": 2]])
    #expect(content.subject == "3 commits by 2 people")
    #expect(content.text.contains("3 commits by 2 people"))
    #expect(!content.html.isEmpty)
  }

  @Test("a digest without a title of the catalog's says its number and category")
  func untitledDigest() throws {
    let content = try content(data: [
      "kind": "digest", "digestTitle": nil, "totals": ["events": 7, "actors": 2],
    ])
    #expect(content.subject == "7 new in code")
  }

  @Test(
    "a digest of several categories names none of them",
    arguments: [(7, "7 new notifications"), (1, "1 new notification")])
  func severalCategories(events: Int, subject: String) throws {
    let content = try content(data: [
      "kind": "digest", "digestTitle": nil, "severalCategories": true,
      "totals": ["events": events, "actors": 1],
    ])
    #expect(content.subject == subject)
    #expect(content.text.hasSuffix("You receive this as u1.\n"))
    #expect(content.html.contains("You receive this as u1.</p>"))
    let titled = try self.content(data: [
      "kind": "digest", "digestTitle": "News{{#category}} in {{.}}{{/category}}", "severalCategories": true,
    ])
    #expect(titled.subject == "News")
  }

  @Test("a digest's title that names no number gets the totals as heading")
  func headingWithTotals() throws {
    let content = try content(
      data: [
        "kind": "digest", "digestTitle": "News for {{recipient}}", "totals": ["events": 7, "actors": 2],
      ])
    #expect(content.subject == "News for u1")
    #expect(content.text.hasPrefix("News for u1 (7 by 2 people)\n"))
  }

  @Test("the time is told in the recipient's zone and manner; what is unknown falls back to UTC")
  func localTime() throws {
    #expect(
      try content(data: ["timeZone": "Europe/Berlin"]).text.contains("20 Nov 2026 at 13:00 (Europe/Berlin)"))
    #expect(try content(data: ["timeZone": "Mars/Olympus"]).text.contains("12:00 (UTC)"))
    #expect(try content(data: ["locale": "de", "timeZone": "Europe/Berlin"]).text.contains("20. Nov. 2026"))
    #expect(try content(data: ["locale": "xx-!!-\u{0}"]).text.contains("2026"))
  }

  @Test(
    "no value can add markup to the HTML body, also with combining marks behind quotes and brackets",
    arguments: [
      "<script>alert(1)</script>", "<\u{338}script>", "\"\u{301} onmouseover=\"x", "'\u{301}>", "&lt;",
    ])
  func escaped(_ attack: String) throws {
    let content = try content(
      items: [
        DeliverySamples.item(actor: attack, data: ["title": attack, "url": "https://e.org/\(attack)"])
      ],
      data: ["category": attack, "recipient": attack])
    let start = try #require(content.html.range(of: "<div style=\"max-width"))
    // What remains without the markup of the template holds no bracket and no quote.
    let body = content.html[start.lowerBound...]
    let withoutTags = String(decoding: body.utf8, as: UTF8.self)
      .replacing(#/<(div|p|a|/div|/p|/a|/body|/html)( (style|href)="[^"<>]*")*>/#, with: "")
    #expect(!withoutTags.utf8.contains(UInt8(ascii: "<")), "\(withoutTags)")
    #expect(!withoutTags.utf8.contains(UInt8(ascii: "\"")), "\(withoutTags)")
  }

  @Test(
    "only web links are written",
    arguments: [
      "javascript:alert(1)", "JAVASCRIPT:x", "data:text/html,x", "/path", "//host/x", "https://",
      "http://a b", "", "ftp://x",
    ])
  func links(_ link: String) throws {
    let content = try content(items: [DeliverySamples.item(data: ["title": "t", "url": link])])
    #expect(!content.html.contains("href="))
    #expect(EmailRenderer.safeLink("HTTPS://example.org/x?y=1&z=ä") != nil)
    #expect(EmailRenderer.safeLink("https://e.org/" + String(repeating: "x", count: 2048)) == nil)
  }

  @Test(
    "a template that does not compile, or yields nothing, gives type and subject",
    arguments: [
      "{{#open}}", "{{", "{{#a}}{{/b}}", "{{data.missing}}", String(repeating: "{{#a}}", count: 5000),
    ])
  func brokenTemplate(_ template: String) throws {
    #expect(try content(data: ["title": template]).subject == "git.commit.pushed: a/b.swift")
  }

  @Test("sections may nest, but no deeper than the catalog allows")
  func deepTemplate() throws {
    func nested(_ depth: Int) -> String {
      String(repeating: "{{#data}}", count: depth) + "{{title}}"
        + String(repeating: "{{/data}}", count: depth)
    }
    #expect(try content(data: ["title": nested(4)]).subject == "Fix the thing")
    for template in [nested(5), nested(200), "{{=< >=}}" + String(repeating: "<#a>", count: 1000)] {
      #expect(try content(data: ["title": template]).subject == "git.commit.pushed: a/b.swift")
    }
    let many = String(repeating: "{{#data}}{{/data}}", count: 200)
    #expect(try content(data: ["title": many + "x"]).subject == "x")
  }

  @Test("data of any shape can be named in a template")
  func dataShapes() throws {
    let data: [String: Any] = [
      "n": 12, "b": true, "z": NSNull(), "list": ["x", "y"], "deep": ["a": ["b": "c"]],
      "rows": [["k": 1], ["k": 2]],
    ]
    let cases = [
      ("{{data.n}}", "12"), ("{{#data.b}}yes{{/data.b}}", "yes"), ("[{{data.z}}]", "[]"),
      ("{{data.list}}", "x, y"),
      ("{{data.deep.a.b}}", "c"), ("{{#data.rows}}{{k}};{{/data.rows}}", "1;2;"), ("[{{data.deep}}]", "[]"),
      ("{{#data.list}}<{{.}}>{{/data.list}}", "<x><y>"), ("{{count(data.list)}}", "2"),
      ("{{tenant}}/{{priority}}", "default/normal"),
    ]
    for (template, expected) in cases {
      #expect(
        try content(items: [DeliverySamples.item(data: data)], data: ["title": template]).subject == expected,
        "\(template)")
    }
    #expect(
      try content(items: [DeliverySamples.item(data: "text")], data: ["title": "{{data}}"]).subject == "text")
  }

  @Test("a title of 100,000 characters is cut")
  func longTitle() throws {
    let title = String(repeating: "long ", count: 20_000)
    let content = try content(items: [DeliverySamples.item(data: ["title": title])])
    #expect(content.subject.count == EmailRenderer.titleLimit && content.subject.hasSuffix("…"))
  }
}
