import Contract

/// Makes recipient ids from the addresses of authors.
enum GitPerson {
  /// The id: the part before the `@` in lower case, and a few digits of a hash of the whole address, which tell apart
  /// people of the same name at different places. The same address gives the same id in every repository.
  static func id(ofEmail email: String) -> String {
    let address = email.lowercased()
    let name = String(address.prefix { $0 != "@" })
    // GitHub's private addresses are number+name@users.noreply.github.com.
    let plain = name.split(separator: "+", maxSplits: 1).last.map(String.init) ?? name
    var slug = ""
    for scalar in plain.unicodeScalars.prefix(40) {
      let isAllowed = scalar.isASCII && (scalar.properties.isAlphabetic || ("0"..."9").contains(scalar))
      if isAllowed || scalar == "." || scalar == "_" {
        slug.unicodeScalars.append(scalar)
      } else if !slug.isEmpty, slug.last != "-" {
        slug.append("-")
      }
    }
    while let last = slug.last, "-._".contains(last) { slug.removeLast() }
    while let first = slug.first, "-._".contains(first) { slug.removeFirst() }
    let digits = address.withByteView { Hash128(of: $0) }.hex.prefix(4)
    return slug.isEmpty ? "author-\(digits)" : "\(slug)-\(digits)"
  }
}
