/// A plot of one number per place, as bars, and perhaps of another one to compare it with, as a line of steps. It is
/// an SVG element whose colours come from the style sheet around it.
struct BarPlot {
  /// One place on the horizontal axis.
  struct Place {
    /// What it is, such as `2024-10`.
    var name: String
    /// What stands below the axis; nil for nothing.
    var label: String?
    /// The height of the bar.
    var value: Int
    /// What it is compared with.
    var against: Int?
  }

  /// Says to a screen reader what is shown.
  var title: String
  /// What is counted, such as `message`.
  var noun: String
  var places: [Place]

  private static let width = 900.0
  private static let height = 260.0
  private static let left = 64.0
  private static let right = 8.0
  private static let top = 10.0
  private static let bottom = 28.0
  /// Labels closer than this would run into one another.
  private static let labelDistance = 46.0

  private var plotWidth: Double { Self.width - Self.left - Self.right }
  private var plotHeight: Double { Self.height - Self.top - Self.bottom }

  /// The element.
  var svg: String {
    let highest = places.map { max($0.value, $0.against ?? 0) }.max() ?? 0
    let step = Self.step(for: highest)
    let scale = max(step, (highest + step - 1) / step * step)
    return """
      <svg viewBox="0 0 \(Self.text(Self.width)) \(Self.text(Self.height))" role="img" aria-label="\(title.htmlEscaped)">
      \(grid(step: step, scale: scale))\(bars(scale))\(steps(scale))\(labels)</svg>

      """
  }

  /// A distance of grid lines that needs at most five above zero: 1, 2 or 5 times a power of ten.
  static func step(for highest: Int) -> Int {
    var power = 1
    while true {
      for factor in [1, 2, 5] where highest <= factor * power * 5 { return factor * power }
      power *= 10
    }
  }

  private func x(_ index: Int) -> Double {
    Self.left + plotWidth * Double(index) / Double(max(1, places.count))
  }

  private func y(_ value: Int, _ scale: Int) -> Double {
    Self.top + plotHeight * (1 - Double(value) / Double(max(1, scale)))
  }

  private func grid(step: Int, scale: Int) -> String {
    stride(from: 0, through: scale, by: step).map { value in
      let height = Self.text(y(value, scale))
      return """
        <line class="grid" x1="\(Self.text(Self.left))" x2="\(Self.text(Self.width - Self.right))" y1="\(height)" y2="\(height)"/>\
        <text class="tick" x="\(Self.text(Self.left - 8))" y="\(height)" dy="0.32em" text-anchor="end">\(value.grouped)</text>

        """
    }.joined()
  }

  private func bars(_ scale: Int) -> String {
    let slot = plotWidth / Double(max(1, places.count))
    let gap = slot > 4 ? min(6, slot * 0.2) : 0
    return places.enumerated().map { index, place in
      let top = y(place.value, scale)
      let against = place.against.map { ", against \($0.grouped)" } ?? ""
      return """
        <g><title>\(place.name.htmlEscaped): \(place.value.counted(noun).htmlEscaped)\(against)</title>\
        <rect class="slot" x="\(Self.text(x(index)))" y="\(Self.text(Self.top))" width="\(Self.text(slot))" height="\(Self.text(plotHeight))"/>\
        <rect class="bar" x="\(Self.text(x(index) + gap / 2))" y="\(Self.text(top))" width="\(Self.text(slot - gap))" \
        height="\(Self.text(Self.top + plotHeight - top))"/></g>

        """
    }.joined()
  }

  private func steps(_ scale: Int) -> String {
    guard places.contains(where: { $0.against != nil }) else { return "" }
    var path = ""
    for (index, place) in places.enumerated() {
      let height = Self.text(y(place.against ?? 0, scale))
      path += "\(index == 0 ? "M" : "L")\(Self.text(x(index))) \(height)H\(Self.text(x(index + 1)))"
    }
    return "<path class=\"against\" d=\"\(path)\"/>\n"
  }

  private var labels: String {
    let slot = plotWidth / Double(max(1, places.count))
    var last = -Double.infinity
    var labels = ""
    for (index, place) in places.enumerated() {
      guard let label = place.label else { continue }
      let middle = x(index) + slot / 2
      guard middle - last >= Self.labelDistance else { continue }
      last = middle
      labels +=
        "<text class=\"tick\" x=\"\(Self.text(middle))\" y=\"\(Self.text(Self.height - 10))\" "
        + "text-anchor=\"middle\">\(label.htmlEscaped)</text>\n"
    }
    return labels
  }

  /// A number of SVG with at most one digit behind the point.
  private static func text(_ value: Double) -> String {
    let tenths = Int((value * 10).rounded())
    let sign = tenths < 0 ? "-" : ""
    let rest = tenths.magnitude % 10
    return "\(sign)\(tenths.magnitude / 10)" + (rest == 0 ? "" : ".\(rest)")
  }
}
