import Contract
import Foundation

/// Turns the history of a repository into events of the type `git.commit.pushed`, one per commit.
struct GitEvents {
  /// The type of the events, which the catalog lists.
  static let type = "git.commit.pushed"

  private static let listedFiles = 10
  private static let titleLimit = 120
  private static let subjectLimit = 1024

  private let source: String
  private let commitPage: String?
  private var audience = GitAudience(limit: EventLimits().maxRecipients)

  init(_ repository: GitRepository) {
    source = "/git/\(Self.uriSegment(repository.name))"
    commitPage = repository.commitPage
  }

  /// Appends the event of a commit, as JSON without a line break. Commits have to come oldest first.
  ///
  /// - Returns: false for a commit whose time git does not tell, of which no event can be made.
  mutating func append(_ commit: GitCommit, to json: inout OutputBuffer) -> Bool {
    guard let time = commit.time.withByteView({ RFC3339.milliseconds(of: $0) }) else { return false }
    let actor = GitPerson.id(ofEmail: commit.email)
    let recipients = audience.recipients(ofCommitBy: actor, to: commit.files, at: time)
    json.append("{\"specversion\":\"1.0\"")
    append("id", commit.hash, to: &json)
    append("source", source, to: &json)
    append("type", Self.type, to: &json)
    append("time", commit.time, to: &json)
    if let subject = commit.files.first.map(Self.printable), !subject.isEmpty,
      subject.utf8.count <= Self.subjectLimit
    {
      append("subject", subject, to: &json)
    }
    append("recipients", recipients.joined(separator: ","), to: &json)
    append("actor", actor, to: &json)
    json.append(",\"datacontenttype\":\"application/json\",\"data\":{\"title\":")
    json.append(jsonString: String(Self.printable(commit.subject).prefix(Self.titleLimit)))
    json.append(",\"files\":[")
    for (index, file) in commit.files.prefix(Self.listedFiles).enumerated() {
      if index > 0 { json.append(",") }
      json.append(jsonString: Self.printable(file))
    }
    json.append("],\"fileCount\":")
    json.append(decimal: Int64(commit.files.count))
    if let commitPage { append("url", commitPage + commit.hash, to: &json) }
    json.append("}}")
    return true
  }

  private func append(_ name: String, _ text: String, to json: inout OutputBuffer) {
    json.append(",")
    json.append(jsonString: name)
    json.append(":")
    json.append(jsonString: text)
  }

  /// The text with U+FFFD for control characters, which CloudEvents does not allow.
  private static func printable(_ text: String) -> String {
    guard text.unicodeScalars.contains(where: { $0.properties.generalCategory == .control }) else {
      return text
    }
    var result = String.UnicodeScalarView()
    for scalar in text.unicodeScalars {
      result.append(scalar.properties.generalCategory == .control ? "\u{FFFD}" : scalar)
    }
    return String(result)
  }

  /// The text as a segment of a URI reference (RFC 3986).
  private static func uriSegment(_ text: String) -> String {
    text.addingPercentEncoding(withAllowedCharacters: .urlPathAllowed.subtracting(["/"])) ?? "repository"
  }
}
