import Contract
import Testing

@Suite struct JSONPointerTests {
  /// The document of RFC 6901 §5.
  private static let document = #"""
    {"foo":["bar","baz"],"":0,"a/b":1,"c%d":2,"e^f":3,"g|h":4,"i\\j":5,"k\"l":6," ":7,"m~n":8}
    """#

  private func value(_ pointer: String, in text: String = Self.document) throws -> String? {
    let pointer = try #require(JSONPointer(pointer))
    var parser = try JSONParser()
    return try text.withByteView { try parser.parse($0)[pointer]?.raw.string }
  }

  @Test(
    "the examples of RFC 6901 lead to their values",
    arguments: [
      ("/foo", #"["bar","baz"]"#), ("/foo/0", #""bar""#), ("/", "0"), ("/a~1b", "1"), ("/c%d", "2"),
      ("/e^f", "3"), ("/g|h", "4"), (#"/i\j"#, "5"), (#"/k"l"#, "6"), ("/ ", "7"), ("/m~0n", "8"),
    ])
  func examples(pointer: String, expected: String) throws {
    #expect(try value(pointer) == expected)
    #expect(JSONPointer(pointer)?.description == pointer)
  }

  @Test("the empty pointer is the whole text")
  func whole() throws {
    #expect(try value("") == Self.document)
  }

  @Test(
    "where nothing stands, there is no value",
    arguments: [
      "/nothing", "/foo/2", "/foo/-", "/foo/00", "/foo/-1", "/foo/+1", "/foo/0/x", "/foo/", "/a~1b/x",
    ])
  func nothing(pointer: String) throws {
    #expect(try value(pointer) == nil)
  }

  @Test("of two members of a name the first counts, and names are compared unescaped")
  func names() throws {
    #expect(try value("/a", in: #"{"a":1,"a":2}"#) == "1")
    #expect(try value("/ä", in: #"{"\u00e4":1}"#) == "1")
    #expect(try value("/~01", in: #"{"/":1,"~1":2}"#) == "2")
    // A combining character makes one with what stands before it.
    #expect(try value("/\u{301}a/\u{301}", in: "{\"\u{301}a\":{\"\u{301}\":1}}") == "1")
  }

  @Test("a text that is no pointer is refused", arguments: ["foo", "/~", "/~2", "/a~", "#/foo", " /foo"])
  func refused(text: String) {
    #expect(JSONPointer(text) == nil)
  }
}
