import Foundation
import MarkedYAML
import Testing

@Suite("A YAML document with marks")
struct MarkedYAMLTests {
  private func document(_ yaml: String) throws -> YAMLDocument {
    try YAMLDocument(yaml: yaml, file: "f.yaml")
  }

  /// The problems that `read` reports for a document, as lines.
  private func problems(_ yaml: String, _ read: (YAMLValue) -> Void) throws -> [String] {
    let document = try document(yaml)
    if let root = document.root { read(root) }
    do throws(YAMLProblems) {
      try document.finish()
      return []
    } catch {
      return error.problems.map(\.description)
    }
  }

  @Test("an unknown key is reported at its line and column, with the nearest known key")
  func unknownKey() throws {
    let found = try problems("window: 5s\nitmes: 10\n") { _ = $0.mapping(keys: ["window", "items"]) }
    #expect(found == [#"f.yaml:2:1: itmes: is not a known key (did you mean "items"?)"#])
  }

  @Test("an unknown key that resembles none is answered with the known ones")
  func strangeKey() throws {
    let found = try problems("zzzzzz: 1") { _ = $0.mapping(keys: ["window", "items"]) }
    #expect(found == ["f.yaml:1:1: zzzzzz: is not a known key; known are window, items"])
  }

  @Test("all problems are reported, in the order of the file, not only the first")
  func allProblems() throws {
    let yaml = "b: 500\na: soon\nc: maybe\n"
    let found = try problems(yaml) { root in
      let mapping = root.mapping(keys: ["a", "b", "c"])
      _ = mapping?["a"]?.duration(in: .zero ... .seconds(1))
      _ = mapping?["b"]?.integer(in: 1...100)
      _ = mapping?["c"]?.boolean()
    }
    #expect(
      found == [
        "f.yaml:1:4: b: must be from 1 to 100, but is 500",
        #"f.yaml:2:4: a: "soon" is not a duration: write a whole number and ms, s, m, h or d, "#
          + "such as 250ms, 5s or 24h",
        #"f.yaml:3:4: c: must be true or false, but is "maybe""#,
      ])
  }

  @Test("the path of a problem quotes keys that hold dots")
  func paths() throws {
    let found = try problems("types:\n  git.commit.pushed:\n    items: x\n") { root in
      let type = root.mapping()?["types"]?.mapping()?["git.commit.pushed"]
      _ = type?.mapping()?["items"]?.integer(in: 1...2)
    }
    #expect(found == [#"f.yaml:3:12: types["git.commit.pushed"].items: must be a whole number, but is "x""#])
  }

  @Test(
    "a key that is given twice is an error",
    arguments: [
      "a: 1\nb: 2\na: 3\n", "x: {a: 1, b: 2, a: 3}\n", "1: x\n\"1\": y\n",
    ])
  func duplicateKeys(yaml: String) {
    #expect(throws: YAMLProblems.self) {
      let document = try document(yaml)
      _ = document.root?.mapping()
      try document.finish()
    }
  }

  @Test(
    "text that is not YAML is an error with its place, never a crash",
    arguments: [
      ("a: [1, 2", 2), ("a: b: c", 1), ("x: 1\n\t y: 2", 2), ("a: *nobody", 1), ("a: 1\n---\nb: 2", 2),
      ("a: \"\u{1}\"", 1), ("x: 1\ny: \u{0}", 2), ("}", 1),
    ])
  func broken(yaml: String, line: Int) throws {
    do {
      _ = try document(yaml)
      Issue.record("\(yaml.debugDescription) was read")
    } catch let error as YAMLProblems {
      #expect(error.problems.map(\.line) == [line], "\(error)")
      #expect(error.description.hasPrefix("f.yaml:\(line):"))
    }
  }

  @Test("nesting without end is an error, never a crash")
  func deepNesting() {
    #expect(throws: YAMLProblems.self) { try document(String(repeating: "[", count: 200_000)) }
    #expect(throws: YAMLProblems.self) { try document(String(repeating: "{a: ", count: 200_000)) }
  }

  @Test("a byte order mark before the text is skipped")
  func byteOrderMark() throws {
    let document = try document("\u{FEFF}a: b\r\n")
    #expect(document.root?.mapping()?["a"]?.text() == "b")
  }

  @Test("text without content is empty", arguments: ["", "# nothing\n", "~", "---\n"])
  func empty(yaml: String) throws {
    #expect(try document(yaml).isEmpty)
  }

  @Test("each value says what it is when it is not what it should be")
  func kinds() throws {
    let found = try problems("a: [1]\nb: {c: 1}\nc: \nd: x\n") { root in
      let mapping = root.mapping()
      _ = mapping?["a"]?.text()
      _ = mapping?["b"]?.elements()
      _ = mapping?["c"]?.text()
      _ = mapping?["d"]?.mapping()
    }
    #expect(
      found == [
        "f.yaml:1:4: a: must be a text, but is a list",
        "f.yaml:2:4: b: must be a list, but is a mapping",
        "f.yaml:3:3: c: must be a text, but is empty",
        #"f.yaml:4:4: d: must be a mapping ("key: value" lines), but is the text "x""#,
      ])
  }

  @Test("a missing required key is reported where the mapping begins")
  func requiredKey() throws {
    let found = try problems("a:\n  b: 1\n") { _ = $0.mapping()?["a"]?.mapping()?.required("policy") }
    #expect(found == [#"f.yaml:2:3: a: lacks the key "policy""#])
  }

  @Test("the values of a list carry their index as path")
  func elements() throws {
    let elements = try #require(document("- a\n- b\n").root?.elements())
    #expect(elements.map(\.path) == [["0"], ["1"]])
    #expect(elements.map { $0.text() } == ["a", "b"])
  }

  @Test("a file that is missing, a folder, or not UTF-8 is an error that names it")
  func files() throws {
    let folder = FileManager.default.temporaryDirectory.appending(path: "marked-yaml-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    let latin = folder.appending(path: "latin.yaml")
    try Data([0x61, 0x3A, 0x20, 0x62, 0x0A, 0x63, 0x3A, 0x20, 0xFC, 0x0A]).write(to: latin)
    let missing = folder.appending(path: "missing.yaml").path
    #expect(throws: YAMLProblems.self) { try YAMLDocument(contentsOf: folder.path) }
    do throws(YAMLProblems) {
      _ = try YAMLDocument(contentsOf: missing)
      Issue.record("a missing file was read")
    } catch {
      #expect(error.description == "\(missing):1:1: cannot be read: there is no such file")
    }
    do throws(YAMLProblems) {
      _ = try YAMLDocument(contentsOf: latin.path)
      Issue.record("Latin-1 was read as UTF-8")
    } catch {
      #expect(
        error.description == "\(latin.path):2:1: is not UTF-8 in this line; save the file as UTF-8")
    }
  }
}
