import MarkedYAML

/// The sections of a catalog at the root of its files, one file or those of a folder.
///
/// `types` may stand in every file. Each other section stands in one file at most and holds for all of them.
struct CatalogSections {
  private let roots: [YAMLMapping]

  /// Takes the roots of documents, and reports to each what is wrong with its own.
  ///
  /// - Parameter keys: the sections that there are.
  init(of documents: [YAMLDocument], keys: [String]) {
    var roots: [YAMLMapping] = []
    for document in documents {
      guard let root = document.root, !root.isEmpty else {
        document.report("the catalog is empty; it needs at least `types:` or `defaults:`")
        continue
      }
      if let mapping = root.mapping(keys: keys) { roots.append(mapping) }
    }
    self.roots = roots
  }

  /// The section that one file at most may have; in every further file it is reported.
  func only(_ key: String) -> YAMLValue? {
    let entries = all(key)
    for entry in entries.dropFirst() {
      entry.keyValue.report(
        "stands in \(entries[0].keyValue.place) as well; it holds for all files, keep it in one of them")
    }
    return entries.first?.value
  }

  /// The section of every file that has it, in the order of the files.
  func all(_ key: String) -> [YAMLMapping.Entry] {
    roots.flatMap { root in root.entries.filter { $0.key == key } }
  }
}

extension YAMLValue {
  /// `file:line:column`, to name one place at another.
  var place: String { "\(file):\(line):\(column)" }
}
