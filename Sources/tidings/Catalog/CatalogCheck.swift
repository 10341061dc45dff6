import Contract
import Foundation
import MarkedYAML
import Policy

/// What is wrong in a catalog file, or what it is if nothing is.
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
  }

  let file: String
  let isSound: Bool
  /// The version that decisions and deliveries would carry; nil where there are mistakes.
  let version: String?
  /// The number of types that it lists; nil where there are mistakes.
  let types: Int?
  let problems: [Problem]
  /// The result for people, a line for each problem.
  let text: String

  private enum CodingKeys: String, CodingKey {
    case file, version, types, problems
    case isSound = "sound"
  }

  init(file: String) {
    self.file = file
    do throws(YAMLProblems) {
      let catalog = try Catalog.load(file: file)
      isSound = true
      version = catalog.versionText
      types = catalog.typeCount
      problems = []
      text = "\(file): sound, \(catalog.typeCount.counted("type")), version \(catalog.versionText)\n"
    } catch {
      isSound = false
      version = nil
      types = nil
      problems = error.problems.map {
        Problem(
          file: $0.file, line: $0.line, column: $0.column, path: $0.path, message: $0.message,
          suggestion: $0.suggestion)
      }
      text = "\(error)\n\(error.problems.count.counted("problem"))\n"
    }
  }

  /// The result as JSON, ending with a line break.
  func json() throws -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    return String(decoding: try encoder.encode(self), as: UTF8.self) + "\n"
  }
}
