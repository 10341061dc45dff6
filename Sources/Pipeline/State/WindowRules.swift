import Contract
import Policy

/// What a window was opened with besides its time: the options of the catalog, resolved, and the values that tell it
/// from others of its group. A window without any has no bytes of them.
struct WindowRules {
  /// Which items a digest carries in full: ``ItemSelection`` as bytes hold it, so that rules are plain values.
  enum Selection: Equatable {
    case first
    case last
    /// The text of the JSON pointer to the number by which they are ranked.
    case top(ByteView)
  }

  var slide: Slide?
  /// The number of notifications with which it closes early.
  var maxItems: Int?
  var minItems: MinItems?
  /// Which items its digest carries in full.
  var selection = Selection.first
  /// The values of the fields of its key, framed; empty where it has no key.
  var keyValues = ByteView.empty

  /// How long a window that holds too few waits for its next notification at most, from when it was opened, in
  /// milliseconds.
  static let longestHold: Int64 = 31 * 86_400_000

  /// Whether it has none.
  var isEmpty: Bool {
    slide == nil && maxItems == nil && minItems == nil && keyValues.isEmpty && selection == .first
  }

  /// Appends them, unless there are none.
  func append(to buffer: inout OutputBuffer) {
    if isEmpty { return }
    buffer.append(varint: UInt64(max(0, slide?.step ?? 0)))
    buffer.append(varint: UInt64(max(0, slide?.longest ?? 0)))
    buffer.append(varint: UInt64(max(0, maxItems ?? 0)))
    buffer.append(varint: UInt64(max(0, minItems?.count ?? 0)))
    buffer.append(byte: minItems?.fewer.rawValue ?? 0)
    switch selection {
    case .first: buffer.append(byte: 0)
    case .last: buffer.append(byte: 1)
    case .top(let pointer):
      buffer.append(byte: 2)
      buffer.append(lengthPrefixed: pointer)
    }
    buffer.append(lengthPrefixed: keyValues)
  }

  init() {}

  /// Reads them to the end of the bytes; nil where the bytes are none.
  init?(_ reader: inout ByteReader) {
    if reader.isAtEnd { return }
    guard let step = reader.varint(), let longest = reader.varint(), let maxItems = reader.varint(),
      let minItems = reader.varint(), let fewer = reader.byte().flatMap({ FewerItems(rawValue: $0) }),
      let selection = reader.byte()
    else { return nil }
    if step > 0 { slide = Slide(step: Int64(clamping: step), longest: Int64(clamping: longest)) }
    if maxItems > 0 { self.maxItems = Int(clamping: maxItems) }
    if minItems > 0 { self.minItems = MinItems(count: Int(clamping: minItems), fewer: fewer) }
    switch selection {
    case 0: self.selection = .first
    case 1: self.selection = .last
    case 2:
      guard let pointer = reader.lengthPrefixed(), JSONPointer.isWritten(pointer) else { return nil }
      self.selection = .top(pointer)
    default: return nil
    }
    guard let keyValues = reader.lengthPrefixed(), reader.isAtEnd else { return nil }
    self.keyValues = keyValues
  }
}
