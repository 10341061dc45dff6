import MarkedYAML
import Testing

@Suite("The shape of a value")
struct YAMLValueShapeTests {
  @Test(
    "a text, a list and a mapping are told apart",
    arguments: [
      ("x", true, false, 1), ("\"\"", true, false, 1), ("7", true, false, 1), ("~", false, false, 1),
      ("{ b: c }", false, false, 1), ("[x, y]", false, true, 2), ("[]", false, true, 0),
    ])
  func shapes(yaml: String, isText: Bool, isList: Bool, elements: Int) throws {
    let document = try YAMLDocument(yaml: "a: \(yaml)", file: "f.yaml")
    let value = try #require(document.root?.mapping()?["a"])
    #expect(value.isText == isText && value.isList == isList)
    #expect(value.elementsOrSelf().count == elements)
    #expect(document.problems.isEmpty)
  }
}
