/// Who is told of a commit: those who changed the same files in the last 180 days.
struct GitAudience {
  /// How long a change makes its author care for a file, in milliseconds.
  static let horizonMilliseconds: Int64 = 180 * 86_400_000

  private let limit: Int
  /// Per file, when each person last changed it.
  private var changes: [String: [String: Int64]] = [:]

  /// - Parameter limit: the most recipients of a commit; those who changed its files last come first.
  init(limit: Int) { self.limit = limit }

  /// The recipients of a commit by a person, who is not told of their own unless it concerns nobody else: the
  /// history of a single author would show nothing otherwise. Notes the commit for those that follow.
  mutating func recipients(ofCommitBy author: String, to files: [String], at milliseconds: Int64) -> [String]
  {
    var latest: [String: Int64] = [:]
    for file in files {
      var people = changes[file] ?? [:]
      for (person, time) in people {
        if milliseconds - time > Self.horizonMilliseconds {
          people[person] = nil
        } else if person != author {
          latest[person] = max(latest[person] ?? time, time)
        }
      }
      people[author] = max(people[author] ?? milliseconds, milliseconds)
      changes[file] = people
    }
    guard !latest.isEmpty else { return [author] }
    let ranked = latest.sorted { ($0.value, $1.key) > ($1.value, $0.key) }
    return ranked.prefix(limit).map(\.key).sorted()
  }
}
