/// One thing that is wrong in a YAML file, with its place and, where there is one, the way out.
public struct YAMLProblem: Error, Hashable, Sendable, CustomStringConvertible {
  /// The file as the user named it.
  public let file: String
  /// The line, counted from 1.
  public let line: Int
  /// The column in Unicode scalars, counted from 1.
  public let column: Int
  /// The keys from the root of the document to the value; empty for the document as a whole.
  public let path: [String]
  /// What is wrong and what is allowed, as a sentence without a full stop.
  public let message: String
  /// What was probably meant: the nearest known key or value.
  public let suggestion: String?

  /// A problem at a place.
  public init(
    file: String, line: Int, column: Int, path: [String] = [], message: String, suggestion: String? = nil
  ) {
    self.file = file
    self.line = line
    self.column = column
    self.path = path
    self.message = message
    self.suggestion = suggestion
  }

  /// `file:line:column: path: message (did you mean "x"?)`, the form that editors and terminals link.
  public var description: String {
    let place = path.isEmpty ? "" : YAMLProblem.text(of: path) + ": "
    let question = suggestion.map { " (did you mean \"\($0)\"?)" } ?? ""
    return "\(file):\(line):\(column): \(place)\(message)\(question)"
  }

  /// A path of keys as text: `types["git.commit.pushed"].channels`.
  ///
  /// Keys that hold anything but letters, digits, `-` and `_` stand in brackets and quotes.
  public static func text(of path: [String]) -> String {
    var text = ""
    for key in path {
      let isPlain =
        !key.isEmpty && key.allSatisfy { $0.isLetter || $0.isNumber || $0 == "-" || $0 == "_" }
      if isPlain {
        text += text.isEmpty ? key : "." + key
      } else {
        text += "[\"\(key)\"]"
      }
    }
    return text
  }
}

/// Everything that is wrong in the files that were read, in the order of the file.
public struct YAMLProblems: Error, Equatable, Sendable, CustomStringConvertible {
  /// The problems, at least one, ordered by file, line and column.
  public let problems: [YAMLProblem]

  /// The problems, put in order.
  public init(_ problems: [YAMLProblem]) {
    self.problems = problems.sorted {
      ($0.file, $0.line, $0.column, $0.message) < ($1.file, $1.line, $1.column, $1.message)
    }
  }

  /// One line per problem.
  public var description: String { problems.map(\.description).joined(separator: "\n") }
}
