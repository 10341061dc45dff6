import Contract
import MarkedYAML
import Policy
import Testing

@Suite("A damaged catalog")
struct CatalogFuzzTests {
  /// A small generator that a seed repeats (SplitMix64).
  private struct SeededGenerator: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
      state &+= 0x9E37_79B9_7F4A_7C15
      var mixed = state
      mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
      mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
      return mixed ^ (mixed >> 31)
    }
  }

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
    var random = SeededGenerator(state: seed)
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
