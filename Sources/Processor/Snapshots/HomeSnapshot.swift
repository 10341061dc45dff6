import Pipeline

/// What a home partition's worker knows of its snapshot.
struct HomeSnapshot {
  /// How far the file was read at the assignment.
  enum Loading {
    case untried
    /// Begun at an instant in monotonic milliseconds.
    case reading(any SnapshotInput, SnapshotDecoder, since: Int64)
    /// The state machine holds what the file says; the log has not confirmed it yet.
    case loaded(SnapshotHeader)
    /// There is none, it is not used, or the log went on from it.
    case done
  }

  /// A snapshot that is being made.
  struct Progress {
    let file: SnapshotWriting
    /// Begins with the first slice that is kept.
    var encoder: SnapshotEncoder?
    /// The first key prefix that no slice holds yet.
    var next: UInt32 = 0
    /// The slice that belongs to the commit under way.
    var pending: SnapshotSlice?
  }

  var loading = Loading.untried
  var progress: Progress?
  /// The state record that the saved snapshot goes on from.
  var savedSequence: UInt64 = 0
  var savedOffset: Int64 = -1
  /// When the last one was begun, in monotonic milliseconds; nil before the partition decides.
  var begun: Int64?
  /// Bytes of the state log since then, about.
  var logBytes: Int64 = 0
  /// Whether a checkpoint has cut off the part of the log that the saved snapshot goes on from.
  var isCutOff = false

  /// What belongs to a commit that is not in, or no longer to this worker, is forgotten.
  mutating func rollback() { progress?.pending = nil }

  /// The snapshot under way is given up.
  mutating func giveUp() {
    progress?.file.giveUp()
    progress = nil
  }
}
