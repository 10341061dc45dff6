import Contract
import MarkedYAML
import Policy
import SeededTesting
import Testing

@Suite("A damaged catalog")
struct CatalogFuzzTests {
  private let pieces = [
    "{", "}", "[", "]", ": ", "- ", "\n", "  ", "\t", "&a ", "*a", "!!binary ", "? ", "| ", "> ", "\"", "'",
    "#", "~",
    "<<: ", "{{", "}}", "{{#x}}", "\u{0}", "\u{FEFF}", "ü", "---\n", "%YAML 1.1\n", "99999999999999999999d",
    "-1",
  ]

  @Test("whatever is damaged, it is read or refused with places inside of the file")
  func damage() {
    let seed = UInt64.random(in: 0 ... .max)
    print("seed \(seed)")
    var random = SeededGenerator(seed: seed)
    var (read, refused) = (0, 0)
    for round in 0..<2_000 {
      var text = Array(Catalog.demoYAML)
      for _ in 0..<Int.random(in: 1...4, using: &random) {
        let start = Int.random(in: 0...text.count, using: &random)
        let end = min(text.count, start + Int.random(in: 0...12, using: &random))
        let piece = Bool.random(using: &random) ? pieces.randomElement(using: &random) ?? "" : ""
        text.replaceSubrange(start..<end, with: Array(piece))
      }
      let yaml = String(text)
      let lines = yaml.split(separator: "\n", omittingEmptySubsequences: false).count
      do throws(YAMLProblems) {
        let catalog = try Catalog.parse(yaml: yaml, file: "c.yaml")
        #expect(catalog.defaultRules.channels.count > 0, "seed \(seed), round \(round)")
        read += 1
      } catch {
        #expect(!error.problems.isEmpty, "seed \(seed), round \(round)")
        for problem in error.problems {
          #expect((1...(lines + 1)).contains(problem.line), "seed \(seed), round \(round): \(problem)")
        }
        refused += 1
      }
    }
    #expect(read > 50 && refused > 50, "seed \(seed)")
  }
}
