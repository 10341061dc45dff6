/// The place where a record was published away from its home, from which it was handed on.
struct RecordOrigin: Equatable {
  var partition: Int32
  var offset: Int64

  /// Whether a record that came this way says less than what is known: an older one never overwrites a newer one from
  /// the same place. Of records from different places the one that comes later counts.
  func isOlder(than known: RecordOrigin?) -> Bool {
    guard let known, known.partition == partition else { return false }
    return offset < known.offset
  }
}
