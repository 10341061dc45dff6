import Foundation

extension CompletedOffsets {
  /// The longest metadata that is written, in bytes. Kafka's `offset.metadata.max.bytes` is 4,096 by default.
  public static let metadataLimit = 3072

  private static let prefix = "tidings1:"

  /// The set as the metadata of a committed offset: `tidings1:` and the base64 of, for each range, two LEB128
  /// numbers: its distance from the end of the range before (from `base` for the first), and its length less one.
  ///
  /// What does not fit in `metadataLimit` is left out from the top: these offsets would be delivered again after a
  /// restart.
  ///
  /// - Parameter base: the offset that is committed; ranges below it are left out.
  /// - Returns: the text, nil when there is nothing to say, and how many ranges were left out.
  public func metadata(base: Int64) -> (text: String?, omittedRanges: Int) {
    let byteLimit = (Self.metadataLimit - Self.prefix.utf8.count) / 4 * 3
    var bytes: [UInt8] = []
    var cursor = base
    let above = ranges.drop { $0.lowerBound < base }
    for (index, range) in above.enumerated() {
      let length = bytes.count
      Self.append(UInt64(range.lowerBound - cursor), to: &bytes)
      Self.append(UInt64(range.upperBound - range.lowerBound), to: &bytes)
      if bytes.count > byteLimit {
        bytes.removeSubrange(length...)
        return (Self.text(bytes), above.count - index)
      }
      cursor = range.upperBound + 1
    }
    return (bytes.isEmpty ? nil : Self.text(bytes), 0)
  }

  /// Reads what `metadata(base:)` wrote beside the same committed offset. Nil when it is something else: another
  /// program may have committed for the group.
  public init?(metadata: String, base: Int64) {
    guard metadata.hasPrefix(Self.prefix), metadata.utf8.count <= Self.metadataLimit,
      let bytes = Data(base64Encoded: String(metadata.dropFirst(Self.prefix.count)))
    else { return nil }
    var rest = bytes[...]
    var cursor = base
    var ranges: [ClosedRange<Int64>] = []
    while !rest.isEmpty {
      guard let distance = Self.number(&rest), let length = Self.number(&rest) else { return nil }
      let (start, startOverflow) = cursor.addingReportingOverflow(distance)
      let (end, endOverflow) = start.addingReportingOverflow(length)
      guard !startOverflow, !endOverflow, end < .max else { return nil }
      ranges.append(start...end)
      cursor = end + 1
    }
    self.init(ranges)
  }

  private static func text(_ bytes: [UInt8]) -> String { prefix + Data(bytes).base64EncodedString() }

  private static func append(_ number: UInt64, to bytes: inout [UInt8]) {
    var rest = number
    while rest >= 0x80 {
      bytes.append(UInt8(rest & 0x7f) | 0x80)
      rest >>= 7
    }
    bytes.append(UInt8(rest))
  }

  private static func number(_ bytes: inout Data.SubSequence) -> Int64? {
    var number: UInt64 = 0
    for shift in stride(from: UInt64(0), to: 63, by: 7) {
      guard let byte = bytes.popFirst() else { return nil }
      number |= UInt64(byte & 0x7f) << shift
      if byte < 0x80 { return Int64(exactly: number) }
    }
    return nil
  }
}
