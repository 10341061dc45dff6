import Contract
import Foundation
import Testing

@testable import tidings

@Suite("The history of a git repository")
struct GitTests {
  private static let day: Int64 = 86_400_000

  @Test("the log is read whatever its names hold, in pieces of any size")
  func parser() {
    let log =
      "\u{0}aaaa\u{0}2024-01-01T00:00:00Z\u{0}ada@example.org\u{0}first \"quoted\"\u{0}"
      + "\nwith\nbreak\u{0} space \u{0}" + "\u{0}bbbb\u{0}2024-01-02T00:00:00+02:00\u{0}\u{0}\u{0}"
      + "\u{0}cccc\u{0}2024-01-03T00:00:00Z\u{0}bob@example.org\u{0}last\u{0}\nö\u{0}"
    let expected = [
      GitCommit(
        hash: "aaaa", time: "2024-01-01T00:00:00Z", email: "ada@example.org", subject: "first \"quoted\"",
        files: ["with\nbreak", " space "]),
      GitCommit(hash: "bbbb", time: "2024-01-02T00:00:00+02:00", email: "", subject: "", files: []),
      GitCommit(
        hash: "cccc", time: "2024-01-03T00:00:00Z", email: "bob@example.org", subject: "last", files: ["ö"]),
    ]
    let bytes = Array(log.utf8)
    for size in 1...bytes.count {
      var parser = GitLogParser()
      var commits: [GitCommit] = []
      for start in stride(from: 0, to: bytes.count, by: size) {
        bytes[start..<min(start + size, bytes.count)].withUnsafeBytes { piece in
          parser.consume(piece) { commits.append($0) }
        }
      }
      parser.finish { commits.append($0) }
      #expect(commits == expected, "in pieces of \(size) bytes")
    }
  }

  @Test("a commit concerns those who changed the same files within 180 days, and not its author")
  func audience() {
    var audience = GitAudience(limit: 1000)
    #expect(audience.recipients(ofCommitBy: "ada", to: ["x", "y"], at: 0) == ["ada"])
    #expect(audience.recipients(ofCommitBy: "bob", to: ["y"], at: 1) == ["ada"])
    #expect(audience.recipients(ofCommitBy: "eve", to: ["x", "y"], at: 180 * Self.day) == ["ada", "bob"])
    // One millisecond later, only what happened since then counts.
    #expect(
      audience.recipients(ofCommitBy: "kim", to: ["x", "y"], at: 180 * Self.day + 1) == ["bob", "eve"])
    #expect(audience.recipients(ofCommitBy: "ada", to: ["z"], at: 180 * Self.day + 2) == ["ada"])
  }

  @Test("of too many recipients, those who changed the files last are told")
  func audienceLimit() {
    var audience = GitAudience(limit: 2)
    for (time, person) in ["a", "b", "c"].enumerated() {
      _ = audience.recipients(ofCommitBy: person, to: ["x"], at: Int64(time))
    }
    #expect(audience.recipients(ofCommitBy: "d", to: ["x"], at: 10) == ["b", "c"])
  }

  @Test("an author has one id whatever the case of the address, and another person another one")
  func people() {
    let id = GitPerson.id(ofEmail: "Ada.Lovelace@Example.org")
    #expect(id == GitPerson.id(ofEmail: "ada.lovelace@example.org"))
    #expect(id.hasPrefix("ada.lovelace-"))
    #expect(id != GitPerson.id(ofEmail: "ada.lovelace@example.com"))
    #expect(GitPerson.id(ofEmail: "1234+bob@users.noreply.github.com").hasPrefix("bob-"))
    for odd in ["", "@", "a/b@c", "\u{7}@x", "ä ö@x", "...@x", "a,b@c", String(repeating: "x", count: 5000)] {
      let id = GitPerson.id(ofEmail: odd)
      #expect(
        !id.isEmpty && id.utf8.count <= 64 && !id.contains { "/, \u{7}".contains($0) }, "\(odd.prefix(20))")
    }
  }

  @Test(
    "a commit's page is found for the usual remotes, without the user's name",
    arguments: [
      ("https://github.com/apache/kafka.git", "https://github.com/apache/kafka/commit/"),
      ("https://user:secret@host.example/a/b", "https://host.example/a/b/commit/"),
      ("git@github.com:apache/kafka.git", "https://github.com/apache/kafka/commit/"),
      ("ssh://git@host.example/a/b.git", "https://host.example/a/b/commit/"),
      ("/var/git/kafka.git", nil), ("file:///var/git", nil), ("https://host.example/a\"b/c", nil),
    ] as [(String, String?)])
  func commitPage(remote: String, page: String?) {
    #expect(GitRepository.commitPage(ofRemote: remote) == page)
  }

  @Test("a repository on disk becomes events that keep the contract")
  func repository() throws {
    let folder = try TemporaryFolder()
    try folder.run(["git", "init", "-q", "."])
    func commit(_ message: String, by author: String, at date: String, files: [String]) throws {
      for file in files { _ = try folder.write(Array("\(message)\n".utf8), to: file) }
      try folder.run(["git", "add", "-A"])
      try folder.run(
        [
          "git", "-c", "user.name=Somebody", "-c", "user.email=\(author)", "-c", "commit.gpgsign=false",
          "commit",
          "-q", "--allow-empty", "-m", message,
        ], environment: ["GIT_AUTHOR_DATE": date, "GIT_COMMITTER_DATE": date])
    }
    try commit("one", by: "ada@example.org", at: "2024-01-01T00:00:00Z", files: ["x", "odd \"name\"\n.txt"])
    try commit("two \u{1B}[31m", by: "bob@example.org", at: "2024-01-02T00:00:00+01:00", files: ["x"])
    try commit("three", by: "ada@example.org", at: "2024-01-03T00:00:00Z", files: [])
    try commit(
      "four", by: "eve@example.org", at: "2024-01-04T00:00:00Z", files: (1...12).map { "f\($0)" } + ["x"])

    var decoder = try EventDecoder()
    var events: [(recipients: [String], actor: String, data: String)] = []
    try GitEventSource(try GitRepository(path: folder.path), limit: nil).forEach { json, _ in
      guard case .event(let event) = decoder.decode(structured: json) else {
        Issue.record("\(json.string) is rejected")
        return true
      }
      #expect(event.type.string == "git.commit.pushed")
      #expect(event.source.string.hasPrefix("/git/tidings-"))
      events.append((event.recipients.map(\.string), event.actor.string, event.data.string))
      return true
    }
    let (ada, bob) = (GitPerson.id(ofEmail: "ada@example.org"), GitPerson.id(ofEmail: "bob@example.org"))
    #expect(events.map(\.recipients) == [[ada], [ada], [ada], [ada, bob]])
    #expect(events.map(\.actor).prefix(3) == [ada, bob, ada])
    #expect(events[0].data.contains("odd \\\"name\\\"\u{FFFD}.txt"))
    #expect(events[1].data.contains("two \u{FFFD}[31m"))
    #expect(events[2].data.contains("\"files\":[],\"fileCount\":0"))
    #expect(events[3].data.contains("\"fileCount\":13"))

    var newest: [String] = []
    try GitEventSource(try GitRepository(path: folder.path), limit: 2).forEach { json, _ in
      newest.append(json.string)
      return newest.count < 1
    }
    #expect(newest.count == 1 && newest.first?.contains("three") == true)
  }

  @Test("a folder in no repository is an error in git's words")
  func noRepository() throws {
    let folder = try TemporaryFolder()
    let error = #expect(throws: InputError.self) { _ = try GitRepository(path: folder.path) }
    #expect(error?.description.contains("not a git repository") == true)
  }
}
