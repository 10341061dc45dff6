import Yams

extension YAMLValue {
  /// Whether the value is a text, a number or a truth value, and not left empty.
  public var isText: Bool {
    guard case .scalar = node else { return false }
    return !isNull
  }

  /// Whether the value is a list.
  public var isList: Bool {
    guard case .sequence = node else { return false }
    return true
  }

  /// The elements of a list, or the value alone where it is none: for keys that take one value or several.
  public func elementsOrSelf() -> [YAMLValue] {
    isList ? elements() ?? [] : [self]
  }
}
