/// Reads the output of `git log -z --name-only` with the format below, in pieces of any size.
///
/// Everything is separated by zero bytes, which neither messages nor paths can hold, so that no name needs quoting:
/// an empty field begins a commit, five fields follow, then paths until the next empty field.
struct GitLogParser {
  /// The value of `--format`.
  static let format = "tformat:%x00%H%x00%cI%x00%aE%x00%s"

  private static let fieldCount = 4

  private var field: [UInt8] = []
  private var fields: [String] = []
  private var files: [String] = []
  private var isInCommit = false

  /// Takes a piece of the output, and calls `body` with each commit that it completes.
  mutating func consume(_ bytes: UnsafeRawBufferPointer, _ body: (GitCommit) throws -> Void) rethrows {
    var rest = bytes[...]
    while let end = rest.firstIndex(of: 0) {
      field.append(contentsOf: rest[..<end])
      rest = rest[(end + 1)...]
      let text = String(decoding: field, as: UTF8.self)
      field.removeAll(keepingCapacity: true)
      try take(text, body)
    }
    field.append(contentsOf: rest)
  }

  /// Calls `body` with the last commit.
  mutating func finish(_ body: (GitCommit) throws -> Void) rethrows {
    try endCommit(body)
  }

  private mutating func take(_ text: String, _ body: (GitCommit) throws -> Void) rethrows {
    if isInCommit, fields.count < Self.fieldCount {
      fields.append(text)
    } else if text.isEmpty {
      try endCommit(body)
      isInCommit = true
    } else if isInCommit {
      // Git ends the format with a line break, which the first path then begins with.
      let path = files.isEmpty && text.first == "\n" ? String(text.dropFirst()) : text
      if !path.isEmpty { files.append(path) }
    }
  }

  private mutating func endCommit(_ body: (GitCommit) throws -> Void) rethrows {
    defer {
      fields.removeAll(keepingCapacity: true)
      files = []
      isInCommit = false
    }
    guard fields.count == Self.fieldCount else { return }
    try body(
      GitCommit(hash: fields[0], time: fields[1], email: fields[2], subject: fields[3], files: files))
  }
}
