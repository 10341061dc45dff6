import Testing

@testable import tidings

@Suite struct TextTableTests {
  @Test("a table leaves out the columns that say nothing, and stands in columns")
  func table() {
    var table = TextTable(header: ["", "seconds", "ratio", "MB"])
    table.add(["A", "1.5", "", "10"])
    table.add(["bare", "10.25", "", "7"])
    #expect(
      table.text == """
              seconds  MB
        A         1.5  10
        bare    10.25   7

        """)
  }
}
