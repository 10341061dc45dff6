import Foundation
import Yams

/// One YAML document under reading: the values with their places, and the problems found on the way.
///
/// A reader asks for `root`, takes from it what it knows, and reports what it does not like; nothing stops at the
/// first problem. At the end `finish()` throws all of them. A document belongs to one thread.
public final class YAMLDocument {
  /// The largest file that is read, in bytes: a bound against a file named by mistake.
  public static let maximumFileBytes = 16 << 20

  /// The file as the user named it.
  public let file: String
  /// The problems so far, in the order of discovery.
  public private(set) var problems: [YAMLProblem] = []

  private let node: Node?

  /// Reads the syntax of a document.
  ///
  /// - Parameters:
  ///   - yaml: the text, YAML 1.1 as libyaml reads it; a byte order mark is skipped.
  ///   - file: the name that problems carry.
  /// - Throws: `YAMLProblems` with the one problem that makes the text unreadable.
  public init(yaml: String, file: String) throws(YAMLProblems) {
    self.file = file
    do {
      let text = yaml.unicodeScalars.first == "\u{FEFF}" ? String(yaml.unicodeScalars.dropFirst()) : yaml
      node = try compose(yaml: text, .default, .default, .utf8)
    } catch {
      throw YAMLProblems([YAMLDocument.problem(of: error, yaml: yaml, file: file)])
    }
  }

  /// Reads the syntax of a file.
  ///
  /// - Throws: `YAMLProblems` when the file cannot be read, is larger than `maximumFileBytes`, is not UTF-8 or is not
  ///   YAML.
  public convenience init(contentsOf file: String) throws(YAMLProblems) {
    func refuse(_ message: String, line: Int = 1) -> YAMLProblems {
      YAMLProblems([YAMLProblem(file: file, line: line, column: 1, message: message)])
    }
    let bytes: Data
    do {
      let handle = try FileHandle(forReadingFrom: URL(fileURLWithPath: file))
      defer { try? handle.close() }
      bytes = try handle.read(upToCount: YAMLDocument.maximumFileBytes + 1) ?? Data()
    } catch {
      throw refuse("cannot be read: \(YAMLDocument.reason(of: error))")
    }
    guard bytes.count <= YAMLDocument.maximumFileBytes else {
      throw refuse("is larger than \(ByteSizeText.format(YAMLDocument.maximumFileBytes))")
    }
    guard let text = String(validating: bytes, as: UTF8.self) else {
      // Everything before the first line that does not decode is fine.
      let lines = bytes.split(separator: 0x0A, omittingEmptySubsequences: false)
      let line = lines.firstIndex { String(validating: $0, as: UTF8.self) == nil } ?? 0
      throw refuse("is not UTF-8 in this line; save the file as UTF-8", line: line + 1)
    }
    try self.init(yaml: text, file: file)
  }

  /// Whether the document holds nothing: no text, only comments, or an explicit null.
  public var isEmpty: Bool { root?.isNull ?? true }

  /// The value of the whole document; nil where there is none.
  public var root: YAMLValue? {
    node.map { YAMLValue(node: $0, path: [], document: self) }
  }

  /// Notes a problem and goes on.
  public func report(_ problem: YAMLProblem) {
    problems.append(problem)
  }

  /// Notes a problem of the document as a whole, at its first character, and goes on.
  public func report(_ message: String) {
    report(YAMLProblem(file: file, line: 1, column: 1, message: message))
  }

  /// Ends the reading.
  ///
  /// - Throws: `YAMLProblems` with everything that was reported, if anything was.
  public func finish() throws(YAMLProblems) {
    guard problems.isEmpty else { throw YAMLProblems(problems) }
  }

  private static func problem(of error: any Error, yaml: String, file: String) -> YAMLProblem {
    func at(_ mark: Mark, _ message: String) -> YAMLProblem {
      YAMLProblem(file: file, line: max(1, mark.line), column: max(1, mark.column), message: message)
    }
    switch error {
    case YamlError.scanner(let context, let problem, let mark, _),
      YamlError.parser(let context, let problem, let mark, _),
      YamlError.composer(let context, let problem, let mark, _):
      let setting = context.map {
        " \($0.text.trimmingCharacters(in: .whitespaces)) that begins in line \(max(1, $0.mark.line))"
      }
      return at(mark, "is not YAML: \(problem)\(setting ?? "")")
    case YamlError.duplicatedKeysInMapping(let duplicates, let context):
      let keys = duplicates.map { "\"\($0)\"" }.joined(separator: ", ")
      return at(context.mark, "\(keys) is given more than once in one mapping; keep one of them")
    case YamlError.reader(let problem, let offset, _, _):
      let before = yaml.utf8.prefix(max(0, offset ?? 0))
      let line = before.count { $0 == 0x0A } + 1
      return YAMLProblem(file: file, line: line, column: 1, message: "is not YAML: \(problem)")
    default:
      return YAMLProblem(file: file, line: 1, column: 1, message: "is not YAML: \(error)")
    }
  }

  private static func reason(of error: any Error) -> String {
    switch (error as? CocoaError)?.code {
    case .fileNoSuchFile, .fileReadNoSuchFile: "there is no such file"
    case .fileReadNoPermission: "permission denied"
    default: "\(error.localizedDescription)"
    }
  }
}
