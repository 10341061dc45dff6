import MarkedYAML
import Policy
import Testing

@Suite("A broken catalog")
struct CatalogProblemTests {
  private func problems(_ yaml: String) -> [String] {
    do throws(YAMLProblems) {
      _ = try Catalog.parse(yaml: yaml, file: "c.yaml")
      return []
    } catch {
      return error.problems.map(\.description)
    }
  }

  private func channelProblem(_ channel: String) -> String? {
    let found = problems("types:\n  a:\n    title: x\n    channels:\n      \(channel)\n")
    return found.count == 1 ? found.first : "\(found.count) problems: \(found)"
  }

  @Test("what is seen in the inbox is left out of mail, not of the inbox")
  func skipIfSeen() {
    #expect(channelProblem("email: { policy: immediate, skipIfSeen: true }") == "0 problems: []")
    #expect(
      channelProblem("inapp: { policy: immediate, skipIfSeen: true }")
        == "c.yaml:5:47: types.a.channels.inapp.skipIfSeen: has a meaning only on `email`: "
        + "the inbox is where things are seen")
    #expect(
      channelProblem("email: { policy: immediate, skipIfSeen: 7 }")?.hasPrefix(
        "c.yaml:5:47: types.a.channels.email.skipIfSeen: must be true or false") ?? false)
  }

  @Test("an empty file says what a catalog needs", arguments: ["", "# later\n", "{}", "---\n"])
  func empty(yaml: String) {
    #expect(problems(yaml) == ["c.yaml:1:1: the catalog is empty; it needs at least `types:` or `defaults:`"])
  }

  @Test("a file that is not a mapping is an error", arguments: ["- a", "text", "[1, 2]"])
  func noMapping(yaml: String) {
    #expect(problems(yaml).count == 1)
  }

  @Test(
    "a mistyped key is answered with its place and the key that was meant",
    arguments: [
      ("type: {a: {title: x}}", #"c.yaml:1:1: type: is not a known key (did you mean "types"?)"#),
      (
        "types:\n  a:\n    title: x\n    chanels: {}\n",
        #"c.yaml:4:5: types.a.chanels: is not a known key (did you mean "channels"?)"#
      ),
      (
        "types:\n  a:\n    title: x\n    channels:\n      emial: { policy: immediate }\n",
        #"c.yaml:5:7: types.a.channels.emial: is not a known key (did you mean "email"?)"#
      ),
      (
        "types:\n  a:\n    title: x\n    channels:\n      email: { policy: digest, windwo: 5s, window: 5s }\n",
        #"c.yaml:5:32: types.a.channels.email.windwo: is not a known key (did you mean "window"?)"#
      ),
      (
        "types:\n  a:\n    title: x\n    channels:\n      email: { policy: digst }\n",
        #"c.yaml:5:24: types.a.channels.email.policy: must be immediate or digest or schedule, but is "digst" "#
          + #"(did you mean "digest"?)"#
      ),
      (
        "unknownTypes: rejct\ntypes: {a: {title: x}}",
        #"c.yaml:1:15: unknownTypes: must be deliver or reject, but is "rejct" (did you mean "reject"?)"#
      ),
    ])
  func mistyped(yaml: String, problem: String) {
    #expect(problems(yaml) == [problem])
  }

  @Test(
    "a window outside of its bounds is an error that names them",
    arguments: ["0s", "0ms", "99ms", "32d", "2678401s"])
  func windowBounds(window: String) {
    #expect(
      channelProblem("email: { policy: digest, window: \(window) }")
        == "c.yaml:5:40: types.a.channels.email.window: must be from 100ms to 31d, but is \(window)")
  }

  @Test("a window that is no duration is an error", arguments: ["-5s", "5", "five", "~", "[5s]"])
  func windowText(window: String) {
    let problem = channelProblem("email: { policy: digest, window: \(window) }")
    #expect(problem?.contains("types.a.channels.email.window: ") == true, "\(problem ?? "none")")
  }

  @Test(
    "a schedule without times, with times given twice, or beside a window is an error",
    arguments: [
      (
        "policy: schedule",
        "c.yaml:5:14: types.a.channels.email: has no times: add `cadence:` (hourly, daily or weekly), "
          + "or `at:` with times such as [\"09:00\"]"
      ),
      (
        "policy: schedule, weekdays: [mon]",
        "c.yaml:5:14: types.a.channels.email: has no times: add `cadence:` (hourly, daily or weekly), "
          + "or `at:` with times such as [\"09:00\"]"
      ),
      (
        "policy: schedule, cadence: dayly",
        "c.yaml:5:43: types.a.channels.email.cadence: must be hourly or daily or weekly, but is \"dayly\" "
          + "(did you mean \"daily\"?)"
      ),
      (
        "policy: schedule, cadence: weekly, weekdays: [tue]",
        "c.yaml:5:61: types.a.channels.email.weekdays: has no meaning beside `cadence`, which has times of its own; "
          + "remove one of the two"
      ),
      (
        "policy: schedule, at: 9am",
        "c.yaml:5:38: types.a.channels.email.at: must be a time from 00:00 to 23:59 as HH:MM, but is \"9am\" "
          + "(did you mean \"09:00\"?)"
      ),
      (
        "policy: schedule, at: []",
        "c.yaml:5:38: types.a.channels.email.at: names no time; write at least one, such as [\"09:00\"]"
      ),
      (
        "policy: schedule, cadence: daily, window: 1d",
        "c.yaml:5:58: types.a.channels.email.window: has a meaning only with `policy: digest`"
      ),
      (
        "policy: digest, window: 1d, at: \"09:00\"",
        "c.yaml:5:48: types.a.channels.email.at: has a meaning only with `policy: schedule`"
      ),
      (
        "policy: immediate, cadence: daily",
        "c.yaml:5:44: types.a.channels.email.cadence: has a meaning only with `policy: schedule`"
      ),
    ])
  func schedules(keys: String, problem: String) {
    #expect(channelProblem("email: { \(keys) }") == problem)
  }

  @Test("the bounds of a window themselves are allowed", arguments: ["100ms", "31d"])
  func windowEdges(window: String) {
    #expect(problems("defaults: {channels: {email: {policy: digest, window: \(window)}}}") == [])
  }

  @Test("a digest without a window is an error")
  func missingWindow() {
    #expect(
      channelProblem("email: { policy: digest }")
        == #"c.yaml:5:14: types.a.channels.email: lacks the key "window""#)
  }

  @Test("a channel without a policy is an error")
  func missingPolicy() {
    #expect(
      channelProblem("email: { mandatory: true }")
        == #"c.yaml:5:14: types.a.channels.email: lacks the key "policy""#)
  }

  @Test(
    "the keys of a digest have no place in an immediate policy",
    arguments: ["window: 5s", "items: 3", "group: g"])
  func immediateWithDigestKeys(key: String) {
    let problem = channelProblem("email: { policy: immediate, \(key) }")
    #expect(problem?.contains("has a meaning only with `policy: digest`") == true, "\(problem ?? "none")")
  }

  @Test("items outside of 1 to 100 are an error", arguments: ["0", "101", "-1"])
  func itemBounds(items: String) {
    #expect(
      channelProblem("email: { policy: digest, window: 5s, items: \(items) }")
        == "c.yaml:5:51: types.a.channels.email.items: must be from 1 to 100, but is \(items)")
  }

  @Test("a type without channels is an error", arguments: ["{}", "~", ""])
  func noChannels(channels: String) {
    let found = problems("types:\n  a:\n    title: x\n    channels: \(channels)\n")
    #expect(found.count == 1)
    #expect(found.first?.hasSuffix("names no channel; give at least one of email, inapp") == true)
  }

  @Test("a type without a title is an error at the type, also where the defaults have one")
  func missingTitle() {
    let found = problems("defaults: { title: \"{{type}}\" }\ntypes:\n  a:\n    category: x\n")
    #expect(
      found == [
        "c.yaml:4:5: types.a: lacks a title: add `title:` with a template such as "
          + #""{{actor}}: {{data.title}}""#
      ])
  }

  @Test("aliases of YAML work, and merge keys are refused rather than ignored")
  func aliases() {
    let channels = "defaults: {channels: &usual {inapp: {policy: immediate}}}\n"
    #expect(problems(channels + "types: {a: {title: x, channels: *usual}}") == [])
    #expect(
      problems(channels + "types: {a: {title: x, channels: {<<: *usual, email: {policy: immediate}}}}").count
        == 1)
  }

  @Test("an alias that unfolds without end is refused, never followed")
  func aliasBomb() {
    var yaml = "a0: &a0 [x, x]\n"
    for level in 1...60 { yaml += "a\(level): &a\(level) [*a\(level - 1), *a\(level - 1)]\n" }
    #expect(problems(yaml + "types: *a60").count > 0)
    #expect(problems("defaults:\n  category: &x general\ntypes:\n  a:\n    title: *x\n") == [])
  }

  @Test("a catalog that would reject everything is an error")
  func rejectsEverything() {
    #expect(problems("unknownTypes: reject\n").first?.contains("every event would be rejected") == true)
  }

  @Test("every problem of the file is reported at once, in the order of its lines")
  func allAtOnce() {
    let found = problems(
      """
      unknownTypes: drop
      types:
        a:
          title: "{{data.x"
          channels: { email: { policy: digest, window: 0s, items: 0 } }
        b: 5
        c:
          title: ok
          priority: urgent
      """)
    #expect(found.map { $0.split(separator: ":")[1] } == ["1", "4", "5", "5", "6", "9"])
  }

  @Test(
    "names are neither empty, nor too long, nor hold control characters",
    arguments: ["\"\"", "\"a\\nb\"", String(repeating: "x", count: 257)])
  func names(name: String) {
    #expect(problems("types:\n  ? \(name)\n  : { title: x }\n").count == 1)
    #expect(problems("types:\n  a: { title: x, category: \(name) }\n").count == 1)
  }

  @Test("a category is not called as all of them are together")
  func everyCategory() {
    #expect(
      problems("types:\n  a: { title: x, category: \"*\" }\n") == [
        "c.yaml:2:28: types.a.category: \"*\" stands for all categories, and is the name of none"
      ])
    #expect(problems("defaults: { category: \"*\" }\n").count == 1)
    #expect(problems("tenants: { acme: { preferences: { \"*\": { email: off } } } }\n") == [])
  }

  @Test(
    "a template that cannot be rendered is an error",
    arguments: [
      ("{{actor", "the tag {{actor is not closed; add }}"),
      ("actor}}", "a tag ends with }} but does not begin with {{"),
      ("{{}}", "a tag {{}} names no field"),
      ("{{#actor}}x", "the section {{#actor}} is not closed; add {{/actor}}"),
      ("x{{/actor}}", "{{/actor}} closes nothing: no section is open"),
      ("{{#actor}}x{{/data}}", "{{/data}} closes nothing: the open section is {{#actor}}"),
      ("{{{actor}}", "the tag {{{actor}} is not closed; add }}}"),
      ("{{> footer}}", "{{> footer}}: a catalog's templates know no partials and no other delimiters"),
      ("{{first name}}", "{{first name}} is not the name of a field"),
      (
        "{{data.items[0].name}}",
        "{{data.items[0].name}} is not the name of a field: a section reaches the elements of a list, as "
          + "{{#data.items}}{{name}}{{/data.items}} does"
      ),
      (
        "{{data.title|upcase}}",
        "{{data.title|upcase}} is not the name of a field: it may have ASCII letters, digits and . - _ ? *"
      ),
      (
        "{{data.größe}}",
        "{{data.größe}} is not the name of a field: it may have ASCII letters, digits and . - _ ? *"
      ),
      (
        "{{data.@id}}",
        "{{data.@id}} is not the name of a field: it may have ASCII letters, digits and . - _ ? *"
      ),
      (
        "{{#data}}{{%x}}{{/data}}",
        "{{%x}} is not the name of a field: it may have ASCII letters, digits and . - _ ? *"
      ),
      (
        "{{#data}}{{ #x}}{{/data}}",
        "{{#x}} is not the name of a field: it may have ASCII letters, digits and . - _ ? *"
      ),
      (
        "{{{#actor}}}x",
        "{{#actor}} is not the name of a field: it may have ASCII letters, digits and . - _ ? *"
      ),
      ("{{uppercased(data.title}}", "{{uppercased(data.title}}: its brackets do not close each other"),
      ("{{uppercased(data.title))}}", "{{uppercased(data.title))}}: its brackets do not close each other"),
      ("{{uppercased(data)title}}", "{{uppercased(data)title}}: its brackets do not close each other"),
      ("{{data)}}", "{{data)}}: its brackets do not close each other"),
      (
        "{{uppercase(data.title)}}",
        "{{uppercase(data.title)}}: there is no transform uppercase (did you mean \"uppercased\"?)"
      ),
      (
        "{{count(upper(data.title))}}", "{{count(upper(data.title))}}: there is no transform upper"
      ),
      ("actor {", "a template must not end with {, which begins a tag"),
      ("\u{301}x", "a template must not begin with a mark that belongs to a letter before it"),
      ("{{.}}", "{{.}} stands for nothing outside of a section"),
      ("{{#data.a}}{{uppercased()}}{{/data.a}}", "{{uppercased()}} names no field"),
    ])
  func templates(template: String, message: String) {
    #expect(
      problems("types:\n  a:\n    title: '\(template)'\n") == ["c.yaml:3:12: types.a.title: \(message)"])
  }

  @Test("a field that no event has is answered with the one that was meant")
  func unknownField() {
    let found = problems("types: { a: { title: '{{actr}}' } }")
    #expect(found.count == 1)
    #expect(found.first?.hasSuffix(#"(did you mean "actor"?)"#) == true)
  }

  @Test(
    "templates that mustache understands are accepted",
    arguments: [
      "plain", "{{data.a.b}}", "{{{data.a}}}", "{{& data.a}}", "{{ actor }}", "{{! a note }}x",
      "{{#data.files}}{{.}}, {{name}}{{/data.files}}", "{{^actor}}somebody{{/actor}}",
      "{{uppercased(data.title)}}", "{{#reversed(data.files)}}{{.}}{{/reversed(data.files)}}",
      "{{uppercased(first(data.files))}}",
      "{{#data.files}}{{^first()}}, {{/first()}}{{index()}}{{/data.files}}",
      "{{data.a-b_c?}}", "{{{ actor }}}", "{{#data.a}}{{.b}}{{uppercased(.)}}{{/data.a}}",
      "{ not a tag }",
    ])
  func goodTemplates(template: String) {
    #expect(problems("types: { a: { title: '\(template)' } }") == [])
  }
}
