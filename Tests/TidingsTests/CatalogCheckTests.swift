import Foundation
import Testing

@testable import tidings

@Suite("The check of a catalog")
struct CatalogCheckTests {
  private func check(_ yaml: String) throws -> (CatalogCheck, path: String) {
    let folder = try TemporaryFolder()
    let file = try folder.write(Array(yaml.utf8), to: "catalog.yaml")
    return (CatalogCheck(path: file), file)
  }

  @Test("of a sound one names its version and counts its types")
  func sound() throws {
    let (check, path) = try check("types: { a: { title: x } }")
    #expect(check.isSound && check.types == 1 && check.problems.isEmpty)
    let version = try #require(check.version)
    #expect(check.text == "\(path): sound, 1 type, version \(version)\n")
    #expect(try check.json().contains("\"sound\" : true"))
    #expect(check.status(isStrict: true) == .done)
  }

  @Test("names every mistake with line, column and suggestion")
  func mistakes() throws {
    let (check, path) = try check(
      """
      types:
        a.b:
          title: x
          channels:
            emial: { policy: immediate }
            inapp: { policy: digest, window: 0s }

      """)
    #expect(!check.isSound && check.version == nil)
    #expect(check.status(isStrict: false) == .usage)
    #expect(
      check.text == """
        \(path):5:7: types["a.b"].channels.emial: is not a known key (did you mean "email"?)
        \(path):6:40: types["a.b"].channels.inapp.window: must be from 100ms to 31d, but is 0s
        2 problems

        """)
    let object = try JSONSerialization.jsonObject(with: Data(check.json().utf8)) as? [String: Any]
    let problems = try #require(object?["problems"] as? [[String: Any]])
    #expect(object?["sound"] as? Bool == false)
    #expect(problems.map { $0["line"] as? Int } == [5, 6])
    #expect(problems.map { $0["column"] as? Int } == [7, 40])
    #expect(problems[0]["path"] as? [String] == ["types", "a.b", "channels", "emial"])
    #expect(problems[0]["suggestion"] as? String == "email")
  }

  @Test("of one that says something in vain warns of it")
  func warnings() throws {
    let (check, path) = try check(
      "{ unknownTypes: reject, defaults: { title: y }, types: { a: { title: x } } }")
    #expect(check.isSound && check.warnings.count == 1)
    let version = try #require(check.version)
    #expect(
      check.text == """
        \(path):1:44: defaults.title: is never used: types have templates of their own, and `unknownTypes` is reject
        \(path): sound, 1 type, version \(version), 1 warning

        """)
    #expect(check.status(isStrict: false) == .done)
    #expect(check.status(isStrict: true) == .failed)
  }

  @Test("of a folder names the file of each mistake")
  func folder() throws {
    let folder = try TemporaryFolder()
    _ = try folder.write(Array("types: { a: { title: x } }".utf8), to: "a.yaml")
    let file = try folder.write(Array("types: { b: { titel: x, title: y } }".utf8), to: "b.yaml")
    let check = CatalogCheck(path: folder.path)
    #expect(!check.isSound && check.problems.map(\.file) == [file])
    _ = try folder.write(Array("types: { b: { title: y } }".utf8), to: "b.yaml")
    #expect(CatalogCheck(path: folder.path).types == 2)
  }

  @Test("of a file that is not there is a problem of it")
  func missing() {
    let check = CatalogCheck(path: "/nowhere/catalog.yaml")
    #expect(!check.isSound && check.problems.count == 1)
    #expect(check.text.hasPrefix("/nowhere/catalog.yaml:1:1: "))
  }
}
