import Yams

/// A mapping with text keys, in the order of the file.
public struct YAMLMapping {
  /// One key with its value.
  public struct Entry {
    /// The key.
    public let key: String
    /// The key as a value, for problems that concern the key: its place is that of the key.
    public let keyValue: YAMLValue
    /// The value.
    public let value: YAMLValue
  }

  /// The entries in the order of the file; keys are distinct.
  public let entries: [Entry]
  /// The mapping as a value, for problems that concern it as a whole.
  public let value: YAMLValue

  /// The value of a key; nil where the key is absent.
  public subscript(key: String) -> YAMLValue? {
    entries.first { $0.key == key }?.value
  }

  /// The value of a key that has to be there; where it is absent, that is reported.
  public func required(_ key: String) -> YAMLValue? {
    if let value = self[key] { return value }
    value.report("lacks the key \"\(key)\"")
    return nil
  }
}

extension YAMLValue {
  /// The value as a mapping of declared keys. Every other key is reported with the nearest declared one.
  ///
  /// The mapping is returned even so, with its declared keys, so that their values are checked as well.
  public func mapping(keys declared: [String]) -> YAMLMapping? {
    guard let mapping = mapping() else { return nil }
    let known = mapping.entries.filter { entry in
      guard !declared.contains(entry.key) else { return true }
      let suggestion = NearestName.of(entry.key, in: declared)
      let list = suggestion == nil ? "; known are \(declared.joined(separator: ", "))" : ""
      entry.keyValue.report("is not a known key\(list)", suggestion: suggestion)
      return false
    }
    return YAMLMapping(entries: known, value: self)
  }

  /// The value as a mapping whose keys are free: names that the file itself defines.
  public func mapping() -> YAMLMapping? {
    guard case .mapping(let mapping) = node else {
      report("must be a mapping (\"key: value\" lines), but is \(kind)")
      return nil
    }
    var entries: [YAMLMapping.Entry] = []
    var seen: Set<String> = []
    for (key, value) in mapping {
      guard case .scalar(let scalar) = key else {
        YAMLValue(node: key, path: path, document: document).report("a key must be a text")
        continue
      }
      let entryPath = path + [scalar.string]
      let keyValue = YAMLValue(node: key, path: entryPath, document: document)
      // Yams compares keys with their tags: it lets 1 and "1" pass as different.
      guard seen.insert(scalar.string).inserted else {
        keyValue.report("is given more than once in one mapping; keep one of them")
        continue
      }
      let entryValue = YAMLValue(node: value, path: entryPath, document: document)
      entries.append(YAMLMapping.Entry(key: scalar.string, keyValue: keyValue, value: entryValue))
    }
    return YAMLMapping(entries: entries, value: self)
  }
}
