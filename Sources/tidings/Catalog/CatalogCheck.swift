import Contract
import MarkedYAML
import Policy

/// What is wrong in a catalog, or what it is if nothing is.
struct CatalogCheck: Encodable {
  struct Problem: Encodable {
    let file: String
    let line: Int
    let column: Int
    /// The keys from the root of the file to the value.
    let path: [String]
    let message: String
    /// What was probably meant.
    let suggestion: String?

    init(_ problem: YAMLProblem) {
      file = problem.file
      line = problem.line
      column = problem.column
      path = problem.path
      message = problem.message
      suggestion = problem.suggestion
    }
  }

  /// The file or folder, as the user named it.
  let file: String
  let isSound: Bool
  /// The version that decisions and deliveries would carry; nil where there are mistakes.
  let version: String?
  /// The number of types that it lists; nil where there are mistakes.
  let types: Int?
  let problems: [Problem]
  /// What it says in vain; empty where there are mistakes.
  let warnings: [Problem]
  /// The result for people, a line for each problem.
  let text: String

  private enum CodingKeys: String, CodingKey {
    case file, version, types, problems, warnings
    case isSound = "sound"
  }

  init(path: String) {
    file = path
    do throws(YAMLProblems) {
      let catalog = try Catalog.load(path: path)
      isSound = true
      version = catalog.versionText
      types = catalog.typeCount
      problems = []
      warnings = catalog.warnings.map { Problem($0) }
      let count = warnings.isEmpty ? "" : ", \(warnings.count.counted("warning"))"
      text =
        catalog.warnings.map { "\($0)\n" }.joined()
        + "\(path): sound, \(catalog.typeCount.counted("type")), version \(catalog.versionText)\(count)\n"
    } catch {
      isSound = false
      version = nil
      types = nil
      problems = error.problems.map { Problem($0) }
      warnings = []
      text = "\(error)\n\(error.problems.count.counted("problem"))\n"
    }
  }

  /// What the shell learns: whether a process starts with it; by a strict check, also whether it says nothing in vain.
  func status(isStrict: Bool) -> ExitStatus {
    guard isSound else { return .usage }
    return isStrict && !warnings.isEmpty ? .failed : .done
  }

  /// The result as JSON, ending with a line break.
  func json() throws -> String { try JSONDocument.text(self, as: .indented) }
}
