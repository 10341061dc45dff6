import Contract
import MarkedYAML
import Policy

extension WindowOptions {
  /// What the options make of a window, in words, each a part of a sentence.
  ///
  /// - Parameter itemLimit: how many items the digest carries in full.
  func words(itemLimit: Int) -> [String] {
    var parts: [String] = []
    if !key.isEmpty { parts.append("by the values of \(key.map(\.name).joined(separator: ", "))") }
    if leadingEdge { parts.append("the first of a window alone, at once") }
    if let maxItems { parts.append("closing early with number \(maxItems)") }
    if let minItems {
      let fate =
        switch minItems.fewer {
        case .single: "are delivered each alone"
        case .hold: "wait for the next one"
        }
      parts.append("fewer than \(minItems.count) \(fate)")
    }
    let which =
      switch selection {
      case .first: ""
      case .last: "the last "
      case .top(let pointer): "the top (by \(pointer)) "
      }
    parts.append("\(which)\(itemLimit) items in full")
    return parts
  }
}

extension Slide {
  /// When a window closes that slides.
  var words: String {
    "\(DurationText.format(.milliseconds(step))) after the last, "
      + "\(DurationText.format(.milliseconds(longest))) after the first at the latest"
  }
}
