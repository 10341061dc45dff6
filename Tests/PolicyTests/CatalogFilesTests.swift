import Foundation
import MarkedYAML
import Policy
import Testing

@Suite("A catalog in a folder")
final class CatalogFilesTests {
  private let folder = FileManager.default.temporaryDirectory.appending(
    path: "tidings-catalog-\(UUID().uuidString)")

  deinit { try? FileManager.default.removeItem(at: folder) }

  private func write(_ files: KeyValuePairs<String, String>) throws {
    for (name, yaml) in files {
      let file = folder.appending(path: name)
      try FileManager.default.createDirectory(
        at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
      try Data(yaml.utf8).write(to: file)
    }
  }

  /// The problems of the folder, without its path.
  private func problems() -> [String] {
    do throws(YAMLProblems) {
      _ = try Catalog.load(path: folder.path)
      return []
    } catch {
      return error.problems.map { $0.description.replacingOccurrences(of: folder.path, with: "") }
    }
  }

  @Test("files are one catalog together: defaults of one hold for the types of all")
  func merged() throws {
    try write([
      "boards.yaml": "types: { card.moved: { title: moved, channels: { inapp: { policy: immediate } } } }",
      "common.yaml":
        "unknownTypes: reject\ndefaults: { category: work, channels: { email: { policy: immediate } } }",
      "reports.yaml": "types: { report.ready: { title: ready }, report.lost: { title: lost } }",
      "README.md": "not a catalog: at all: - [",
    ])
    let catalog = try Catalog.load(path: folder.path)
    #expect(catalog.typeCount == 3)
    #expect(catalog.unknownTypes == .reject)
    let index = try #require("report.ready".withByteView { catalog.typeIndex(named: $0) })
    let rules = catalog.rules(at: index)
    #expect(catalog.text(rules.category).string == "work")
    #expect(rules.channels[.email]?.policy == .immediate && rules.channels[.inapp] == nil)
  }

  @Test("the version does not depend on how a catalog is split into files")
  func version() throws {
    let one = "unknownTypes: reject\ndefaults: { category: work }\n"
    let types = ["  a: { title: A }\n", "  b: { title: B }\n", "  c: { title: C }\n"]
    let whole = try Catalog.parse(yaml: one + "types:\n" + types.joined(), file: "catalog.yaml")
    try write(["1.yaml": "types:\n" + types[2], "2.yaml": one, "3.yaml": "types:\n" + types[0] + types[1]])
    #expect(try Catalog.load(path: folder.path).version == whole.version)
    #expect(try Catalog.load(path: folder.path + "/").version == whole.version)
    try write(["3.yaml": "types:\n" + types[0]])
    #expect(try Catalog.load(path: folder.path).version != whole.version)
  }

  @Test("a type in two files is a mistake that names both places")
  func twice() throws {
    try write([
      "boards.yaml": "types:\n  card.moved: { title: one }\n",
      "cards.yaml": "# cards\ntypes:\n  card.due: { title: due }\n  card.moved: { title: other }\n",
    ])
    #expect(
      problems() == [
        #"/cards.yaml:4:3: types["card.moved"]: is listed twice: in /boards.yaml:2:3 as well; keep one of them"#
      ])
  }

  @Test("what holds for all files stands in one of them")
  func onlyOnce() throws {
    try write([
      "a.yaml": "unknownTypes: deliver\ndefaults: { category: a }\n",
      "b.yaml": "types: { t: { title: x } }\nunknownTypes: deliver\ndefaults: { category: a }\n",
    ])
    #expect(
      problems() == [
        "/b.yaml:2:1: unknownTypes: stands in /a.yaml:1:1 as well; it holds for all files, keep it in one of them",
        "/b.yaml:3:1: defaults: stands in /a.yaml:2:1 as well; it holds for all files, keep it in one of them",
      ])
  }

  @Test("mistakes of all files are told at once, also beside a file that is no YAML")
  func allAtOnce() throws {
    try write([
      "a.yaml": "unknownTypes: reject\ntypes: { t: { titel: x } }",
      "b.yaml": "types: { t: [",
      "c.yaml": "# nothing yet\n",
    ])
    let found = problems()
    try #require(found.count == 4)
    #expect(
      found[0]
        == "/a.yaml:2:13: types.t: lacks a title: add `title:` with a template such as \"{{actor}}: {{data.title}}\""
    )
    #expect(found[1].contains(#"titel: is not a known key (did you mean "title"?)"#))
    #expect(found[2].hasPrefix("/b.yaml:") && found[2].contains("is not YAML"))
    #expect(found[3] == "/c.yaml:1:1: the catalog is empty; it needs at least `types:` or `defaults:`")
  }

  @Test("a file that is no YAML hides what the others lack because of it")
  func broken() throws {
    try write(["a.yaml": "unknownTypes: reject\n", "b.yaml": "types: { t: ["])
    let found = problems()
    #expect(found.count == 1 && found[0].hasPrefix("/b.yaml:"))
  }

  @Test("what looks like a part of the catalog and is not read is a mistake")
  func leftOut() throws {
    try write([
      "a.yaml": "types: { t: { title: x } }", "b.yml": "types: { u: { title: x } }",
      "more/c.yaml": "types: { v: { title: x } }", "notes/todo.txt": "later",
    ])
    #expect(
      problems() == [
        "/b.yml:1:1: is not read: the names of a catalog's files end with .yaml; rename it",
        "/more:1:1: is a folder in the catalog's folder and is not read; move its files up",
      ])
  }

  @Test("a folder without a catalog is a mistake")
  func empty() throws {
    try write(["README.md": "nothing"])
    #expect(problems() == [":1:1: is a folder without a catalog: no name in it ends with .yaml"])
    #expect(throws: YAMLProblems.self) { try Catalog.load(path: folder.path + "/nowhere") }
  }

  @Test("a mounted ConfigMap is read once, through its links")
  func configMap() throws {
    try write(["..2026_03_01/catalog.yaml": "types: { t: { title: x } }"])
    let manager = FileManager.default
    try manager.createSymbolicLink(
      atPath: folder.path + "/..data", withDestinationPath: "..2026_03_01")
    try manager.createSymbolicLink(
      atPath: folder.path + "/catalog.yaml", withDestinationPath: "..data/catalog.yaml")
    #expect(try Catalog.load(path: folder.path).typeCount == 1)
  }
}
