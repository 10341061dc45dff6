/// Which slices of a snapshot are newer than the record of the state log that is being read: until the log has come
/// to the newest of them, changes that a slice holds already are passed over.
struct SnapshotOverlay {
  private var bounds: [UInt32] = []
  private var sequences: [UInt64] = []
  /// Whether the record that the snapshot goes on from was found in the log.
  var isAnchored = false
  /// The number of the record that the newest slice belongs to.
  private(set) var lastSequence: UInt64 = 0

  /// The first key prefix that no slice holds yet.
  var next: UInt32 { bounds.last ?? 0 }

  /// Adds the next slice; false where it does not follow.
  mutating func append(_ prefixes: Range<UInt32>, sequence: UInt64) -> Bool {
    guard prefixes.lowerBound == next, !prefixes.isEmpty, prefixes.upperBound <= 65_536 else { return false }
    lastSequence = max(lastSequence, sequence)
    if sequences.last == sequence {
      bounds[bounds.count - 1] = prefixes.upperBound
    } else {
      bounds.append(prefixes.upperBound)
      sequences.append(sequence)
    }
    return true
  }

  /// The number of the record that the image of a key belongs to.
  func sequence(at prefix: UInt32) -> UInt64 {
    var low = 0
    var high = bounds.count
    while low < high {
      let middle = (low + high) / 2
      if bounds[middle] <= prefix { low = middle + 1 } else { high = middle }
    }
    return low < sequences.count ? sequences[low] : 0
  }
}
