import Contract

/// The history of a repository as events, the oldest first.
struct GitEventSource {
  private struct Stop: Error {}

  private let repository: GitRepository
  private let limit: Int?

  /// - Parameter limit: only the newest so many commits; nil for all.
  init(_ repository: GitRepository, limit: Int?) {
    self.repository = repository
    self.limit = limit
  }

  /// Calls `body` with each event as JSON and the hash of its commit, until it returns false.
  ///
  /// - Throws: `InputError` when git fails; what `body` throws.
  func forEach(_ body: (_ json: ByteView, _ commit: String) throws -> Bool) throws {
    var events = GitEvents(repository)
    var json = OutputBuffer(capacity: 4096)
    do {
      try repository.forEachCommit(limit: limit) { commit in
        json.removeAll()
        guard events.append(commit, to: &json) else { return }
        guard try body(json.view, commit.hash) else { throw Stop() }
      }
    } catch is Stop {}
  }
}
