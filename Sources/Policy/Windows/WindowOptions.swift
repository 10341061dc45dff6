import Contract

/// What a window does besides closing at its time: the options of a digest or schedule.
public struct WindowOptions: Hashable, Sendable {
  /// How far each notification moves the close of the window; nil: not at all.
  public var slide: Slide?
  /// The number of notifications with which it closes early; nil: only at the bound of all windows.
  public var maxItems: Int?
  /// The number of notifications below which it becomes no digest; nil: any number is one.
  public var minItems: MinItems?
  /// Whether the notification that opens it is delivered at once, by itself.
  public var leadingEdge = false
  /// What shares the window besides recipient, channel and group: the values of these fields.
  public var key: [EventField] = []
  /// Which items the digest carries in full.
  public var selection = ItemSelection.first

  /// The options of a catalog that says nothing.
  public init() {}

  /// The numbers of notifications with which a window may close early.
  public static let maxItemsBounds = 2...10_000
  /// The numbers of notifications that a digest may need.
  public static let minItemsBounds = 2...100
  /// The most fields of a key.
  public static let maxKeyFields = 8
}

/// A window that closes when nothing has come for a while.
public struct Slide: Hashable, Sendable {
  /// How long it waits after each notification, in milliseconds.
  public var step: Int64
  /// How long it is at most, from its first notification, in milliseconds: more than the step.
  public var longest: Int64

  /// A slide of those lengths.
  public init(step: Int64, longest: Int64) {
    self.step = step
    self.longest = longest
  }
}

/// How few notifications are too few for a digest, and what becomes of them.
public struct MinItems: Hashable, Sendable {
  /// The number from which on there is a digest.
  public var count: Int
  /// What happens with fewer.
  public var fewer: FewerItems

  /// A number, and what happens with fewer.
  public init(count: Int, fewer: FewerItems) {
    self.count = count
    self.fewer = fewer
  }
}

/// What becomes of notifications that are too few for a digest.
public enum FewerItems: UInt8, CaseIterable, Sendable {
  /// Each is delivered by itself when the window closes.
  case single = 0
  /// They wait for the next notification, and close with its window.
  case hold = 1
}

/// Which items a digest carries in full.
public enum ItemSelection: Hashable, Sendable {
  /// Those that came first.
  case first
  /// Those that came last.
  case last
  /// Those with the largest number at a place in the data.
  case top(JSONPointer)
}

extension WindowOptions {
  /// Appends the one encoding that equal options have.
  func appendCanonical(to output: inout OutputBuffer) {
    output.append(littleEndian: slide?.step ?? 0)
    output.append(littleEndian: slide?.longest ?? 0)
    output.append(varint: UInt64(maxItems ?? 0))
    output.append(varint: UInt64(minItems?.count ?? 0))
    output.append(byte: minItems?.fewer.rawValue ?? 0)
    output.append(byte: leadingEdge ? 1 : 0)
    output.append(varint: UInt64(key.count))
    for field in key { field.name.withByteView { output.append(lengthPrefixed: $0) } }
    switch selection {
    case .first: output.append(byte: 0)
    case .last: output.append(byte: 1)
    case .top(let pointer):
      output.append(byte: 2)
      pointer.description.withByteView { output.append(lengthPrefixed: $0) }
    }
  }
}

/// The number of options that a catalog holds.
///
/// It is valid with the catalog that it came from, and with no other. Equal options of one catalog have equal numbers.
public struct WindowOptionsID: Hashable, Sendable {
  let index: UInt32

  /// What is left of them where a recipient's choice stands in place of the catalog's times.
  var atCadence: WindowOptionsID { WindowOptionsID(index: index | 1) }
}

/// Gathers the options of a catalog and numbers them: the rules of a type hold a number in place of options.
struct WindowOptionsTableBuilder {
  /// What was gathered, by its number: options and, behind each, what a recipient's choice leaves of them.
  private(set) var options: [WindowOptions] = []
  /// By their encoding: a text of one is that of another only if their bytes are the same.
  private var known: [[UInt8]: WindowOptionsID] = [:]

  /// The number of options, the same for the same ones; nil for those of a catalog that says nothing.
  mutating func intern(_ options: WindowOptions) -> WindowOptionsID? {
    if options == WindowOptions() { return nil }
    var encoding = OutputBuffer()
    options.appendCanonical(to: &encoding)
    let key = Array(encoding.view.buffer)
    if let id = known[key] { return id }
    let id = WindowOptionsID(index: UInt32(self.options.count))
    var chosen = WindowOptions()
    chosen.key = options.key
    chosen.selection = options.selection
    self.options += [options, chosen]
    known[key] = id
    return id
  }
}
