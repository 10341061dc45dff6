/// A commit as `git log` tells it.
struct GitCommit: Equatable {
  /// The full hash.
  var hash: String
  /// When it was committed: RFC 3339 with the committer's offset.
  var time: String
  /// The author's address, by the repository's `.mailmap`.
  var email: String
  /// The first line of the message.
  var subject: String
  /// The files that it changed, by their paths in the repository. What is not UTF-8 is repaired.
  var files: [String]
}
