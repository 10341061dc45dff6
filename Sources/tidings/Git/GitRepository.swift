import Foundation

/// A git repository on disk, read by the `git` command.
struct GitRepository {
  /// Its path.
  let path: String
  /// The name of its top folder.
  let name: String
  /// The page of a commit on the host that it came from, up to the hash; nil where that is not known.
  let commitPage: String?

  /// Finds the repository that a path is in.
  ///
  /// - Throws: `InputError` with git's words, such as that the path is in no repository.
  init(path: String) throws(InputError) {
    let top: String
    if let work = try? Self.output(["-C", path, "rev-parse", "--show-toplevel"]), !work.isEmpty {
      top = work
    } else {
      // A bare repository has no work tree.
      top = try Self.output(["-C", path, "rev-parse", "--absolute-git-dir"])
    }
    self.path = path
    let last = top.split(separator: "/").last.map(String.init) ?? "repository"
    name = last.hasSuffix(".git") && last.count > 4 ? String(last.dropLast(4)) : last
    let remote = try? Self.output(["-C", path, "config", "--get", "remote.origin.url"])
    commitPage = remote.flatMap(Self.commitPage)
  }

  /// Calls `body` with each commit, the oldest first; merges, which change nothing themselves, are left out.
  ///
  /// - Parameter limit: only the newest so many; nil for all.
  /// - Throws: `InputError` when git fails; what `body` throws.
  func forEachCommit(limit: Int?, _ body: (GitCommit) throws -> Void) throws {
    var arguments = [
      "-C", path, "log", "-z", "--reverse", "--no-merges", "--no-renames", "--name-only", "--no-color",
      "--encoding=UTF-8", "--format=\(GitLogParser.format)",
    ]
    if let limit { arguments.append("--max-count=\(limit)") }
    let process = Process()
    let output = Pipe()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = ["git"] + arguments
    process.standardOutput = output
    process.standardInput = FileHandle.nullDevice
    try Self.start(process)
    defer { if process.isRunning { process.terminate() } }
    var parser = GitLogParser()
    while let piece = try output.fileHandleForReading.read(upToCount: 256 << 10), !piece.isEmpty {
      try piece.withUnsafeBytes { try parser.consume($0, body) }
    }
    process.waitUntilExit()
    guard process.terminationStatus == 0 else {
      throw InputError("git could not read the history of \(path) (status \(process.terminationStatus))")
    }
    try parser.finish(body)
  }

  /// The trimmed output of a short git command.
  private static func output(_ arguments: [String]) throws(InputError) -> String {
    let process = Process()
    let output = Pipe()
    let errors = Pipe()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = ["git"] + arguments
    process.standardOutput = output
    process.standardError = errors
    process.standardInput = FileHandle.nullDevice
    try start(process)
    let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    let complaint = String(decoding: errors.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    process.waitUntilExit()
    guard process.terminationStatus == 0 else {
      throw InputError(complaint.trimmingCharacters(in: .whitespacesAndNewlines))
    }
    return text.trimmingCharacters(in: .whitespacesAndNewlines)
  }

  private static func start(_ process: Process) throws(InputError) {
    do {
      try process.run()
    } catch {
      throw InputError("git cannot be started: \(error.localizedDescription)")
    }
  }

  /// The page of commits for the remote addresses of the usual hosts: `https://host/path` and `git@host:path`.
  static func commitPage(ofRemote remote: String) -> String? {
    var place = remote
    if place.hasSuffix(".git") { place.removeLast(4) }
    if let range = place.range(of: "://") {
      let scheme = place[..<range.lowerBound]
      guard ["https", "http", "ssh"].contains(String(scheme)) else { return nil }
      place = String(place[range.upperBound...])
    } else if let colon = place.firstIndex(of: ":"), place.contains("@") {
      place.replaceSubrange(colon...colon, with: "/")
    } else {
      return nil
    }
    // A user, and perhaps a password, has no business in a link.
    if let slash = place.firstIndex(of: "/"), let at = place[..<slash].lastIndex(of: "@") {
      place = String(place[place.index(after: at)...])
    }
    let isPlain = place.unicodeScalars.allSatisfy { scalar in
      scalar.isASCII && scalar.value > 0x20 && scalar.value != 0x7F
        && !"\"<>\\^`{|}".unicodeScalars.contains(scalar)
    }
    guard isPlain, place.contains("/") else { return nil }
    return "https://\(place)/commit/"
  }
}
