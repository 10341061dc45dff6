/// Finds the known name that a mistyped one was probably meant to be.
public enum NearestName {
  /// The candidate with the least edit distance to `name`, if it is near enough to be worth a question.
  ///
  /// Near enough is a third of the name's length, at least one edit, regardless of case. Of equally near candidates
  /// the first wins. Names longer than 100 characters have no near candidate.
  public static func of(_ name: String, in candidates: some Sequence<String>) -> String? {
    guard name.count <= 100 else { return nil }
    let typed = Array(name.lowercased())
    var nearest: (candidate: String, distance: Int)?
    for candidate in candidates {
      let known = Array(candidate.lowercased())
      let bound = max(1, min(typed.count, known.count) / 3)
      // Each character that one of them has more is an edit.
      guard abs(typed.count - known.count) <= bound else { continue }
      let distance = editDistance(typed, known)
      guard distance <= bound, distance < nearest?.distance ?? .max else { continue }
      nearest = (candidate, distance)
    }
    return nearest?.candidate
  }

  /// The number of insertions, deletions, replacements and swaps of neighbours that turn one text into the other
  /// (optimal string alignment).
  static func editDistance(_ left: [Character], _ right: [Character]) -> Int {
    var beforeLast: [Int] = []
    var last = Array(0...right.count)
    for row in 0..<left.count {
      var current = [row + 1]
      current.reserveCapacity(right.count + 1)
      for column in 0..<right.count {
        let replaced = last[column] + (left[row] == right[column] ? 0 : 1)
        var best = min(replaced, last[column + 1] + 1, current[column] + 1)
        if row > 0, column > 0, left[row] == right[column - 1], left[row - 1] == right[column] {
          best = min(best, beforeLast[column - 1] + 1)
        }
        current.append(best)
      }
      beforeLast = last
      last = current
    }
    return last[right.count]
  }
}
