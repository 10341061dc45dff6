import Foundation
import SeededTesting
import Testing

@testable import Contract

@Suite struct JSONParserTests {
  private func tree(_ text: String, maxDepth: Int = 128) throws -> JSONTree {
    var parser = try JSONParser(maxDepth: maxDepth)
    return try text.withByteView { JSONTree(try parser.parse($0)) }
  }

  @Test("a value keeps its structure, texts and numbers")
  func structure() throws {
    let text =
      #" { "a" : [ 1 , -2.50e+3 , true,false,null , "x\ty" ] ,"b":{},"c":[],"":"", "b" : {"d":"é\u00e9😀\ud83d\ude00\/"}} "#
    #expect(
      try tree(text)
        == .object([
          "a": .array([.number("1"), .number("-2.50e+3"), .bool(true), .bool(false), .null, .string("x\ty")]),
          "b": .object(["d": .string("éé😀😀/")]), "c": .array([]), "": .string(""),
        ]))
  }

  @Test("numbers of any size are valid and stay as they were written")
  func numbers() throws {
    for number in ["0", "-0", "1e999", "123456789012345678901234567890", "0.1", "-1E-7", "10", "1.0e0"] {
      #expect(try tree(number) == .number(number))
    }
  }

  @Test(
    "what the grammar does not allow is refused",
    arguments: [
      "", " ", "{", "}", "[", "]", "[1,]", "[,1]", "[1 2]", "{\"a\"}", "{\"a\":}", "{\"a\":1,}", "{,}",
      "{1:2}",
      "{\"a\":1 \"b\":2}", "[1}", "{\"a\":1]", "01", "1.", ".1", "+1", "-", "1e", "1e+", "0x1", "NaN",
      "Infinity",
      "1a", "1\"a\"", "\"a\"1", "\"a\"\"b\"", "tru", "truee", "True", "nul", "falsey", "null0", "'a'", "\"a",
      "\"\\\"",
      #""\u12g4""#, #""\u12""#, #""\ud800""#, #""\ud800\ud800""#, #""\udc00""#, #""\ud800x""#, #""\ud800\n""#,
      #""\a""#,
      "\"a\nb\"", "\"\u{0}\"", "1 2", "{} {}", "[]]", "// c\n1", "\u{FEFF}1", "\u{0}", "1\u{0}", "[1]\u{0}",
      "\\", "[\\]",
      "{\"a\":\"b\" \\}", "\u{A0}1",
    ])
  func malformed(text: String) {
    #expect(throws: JSONError.self) { try tree(text) }
  }

  @Test("what is only validated is valid and fails as what is parsed")
  func validation() throws {
    let texts = [
      #"{"what":"something of note","number":42,"url":"https://example.org/board/0123456789abcdef","text":"the card"}"#,
      #" { "a" : [ 1 , -2.50e+3 , true,false,null , "x\ty" ] ,"b":{},"c":[],"":"", "b" : {"d":"é\u00e9😀\ud83d\ude00\/"}} "#,
      #"[[[[0,-0,1e9,0.5E-7],{"k":"\"quoted\" and \\ more"}],"Grüße aus Köln, von weit her"],{}]"#,
      #""a text of more than sixteen bytes""#, "-12.5e3", "true", " null\n", "[]",
      String(repeating: "[", count: 70) + "1" + String(repeating: "]", count: 70),
      String(repeating: "[", count: 9) + "1" + String(repeating: "]", count: 9),
    ]
    var random = SeededGenerator.printed()
    var valid = 0
    for maxDepth in [8, 128] {
      var parser = try JSONParser(maxDepth: maxDepth)
      for round in 0..<20_000 {
        var bytes = Array(texts[round % texts.count].utf8)
        for _ in 0..<Int.random(in: 0...2, using: &random) where !bytes.isEmpty {
          let index = Int.random(in: 0..<bytes.count, using: &random)
          switch Int.random(in: 0...4, using: &random) {
          case 0: bytes[index] = UInt8.random(in: 0...255, using: &random)
          case 1: bytes.remove(at: index)
          case 2: bytes.insert(Array(#"\"{}[],:/ e-.0tn"#.utf8).randomElement(using: &random) ?? 0, at: index)
          case 3: bytes.removeSubrange(index...)
          default: bytes.insert(contentsOf: bytes[..<index], at: index)
          }
        }
        // At an address of its own, so that reading beyond its end is noticed where memory is checked.
        bytes.withUnsafeBytes { raw in
          var parsed: JSONError?
          var validated: JSONError?
          do throws(JSONError) { _ = try parser.parse(ByteView(raw)) } catch { parsed = error }
          do throws(JSONError) { try parser.validate(ByteView(raw)) } catch { validated = error }
          #expect(parsed == validated, "\(String(decoding: raw, as: UTF8.self))")
          if parsed == nil { valid += 1 }
        }
      }
    }
    #expect(valid > 10_000)
  }

  @Test("bytes that are not UTF-8 are refused, inside and outside of strings")
  func notUTF8() throws {
    var parser = try JSONParser()
    for bytes: [UInt8] in [
      [0x22, 0xFF, 0x22], [0x22, 0xC0, 0x80, 0x22], [0x22, 0xED, 0xA0, 0x80, 0x22],
      [0x22, 0xF4, 0x90, 0x80, 0x80, 0x22],
      [0x31, 0x20, 0x80],
    ] {
      bytes.withUnsafeBytes { raw in
        do throws(JSONError) {
          _ = try parser.parse(ByteView(raw))
          Issue.record("accepted \(bytes)")
        } catch {
          #expect(error.kind == .invalidUTF8)
        }
      }
    }
  }

  @Test("nesting is allowed up to the limit and refused beyond it")
  func depth() throws {
    func nested(_ depth: Int) -> String {
      String(repeating: "[{\"a\":", count: depth / 2) + "1" + String(repeating: "}]", count: depth / 2)
    }
    _ = try tree(nested(10), maxDepth: 10)
    #expect(throws: JSONError.self) { try tree(nested(12), maxDepth: 10) }
    #expect(throws: JSONError.self) { try tree(String(repeating: "[", count: 1_000_000)) }
  }

  @Test("a text of several megabytes, and then a short one, are read by the same parser")
  func growth() throws {
    var parser = try JSONParser()
    let big = "[" + String(repeating: "\"0123456789\",", count: 300_000) + "1]"
    let count = try big.withByteView { try parser.parse($0).elements.reduce(0) { sum, _ in sum + 1 } }
    #expect(count == 300_001)
    let raw = try "[1]".withByteView { try parser.parse($0).raw.string }
    #expect(raw == "[1]")
  }

  @Test("the raw bytes of every value are its slice of the text")
  func raw() throws {
    var parser = try JSONParser()
    let text = #"{"a": [1, 2 ] , "b" : "x y" ,"c":{ "d" : null } , "e":12 }"#
    try text.withByteView { view in
      let value = try parser.parse(view)
      #expect(value.members.map(\.value.raw.string) == ["[1, 2 ]", #""x y""#, #"{ "d" : null }"#, "12"])
      #expect(value.members.map(\.nameText) == ["a", "b", "c", "e"])
      #expect(value["e"]?.integer == 12)
      #expect(value["x"] == nil)
      #expect(value["b"]?.string == "x y")
    }
  }

  @Test(
    "integers are read if they fit 64 bits",
    arguments: [
      ("0", 0), ("-0", 0), ("9223372036854775807", .max), ("-9223372036854775808", .min),
      ("9223372036854775808", nil),
      ("-9223372036854775809", nil), ("1.0", nil), ("1e2", nil), ("\"1\"", nil),
      ("99999999999999999999", nil),
    ] as [(String, Int64?)])
  func integers(text: String, integer: Int64?) throws {
    var parser = try JSONParser()
    let read = try text.withByteView { try parser.parse($0).integer }
    #expect(read == integer)
  }

  @Test(
    "texts are never read beyond their end",
    arguments: ["[1", "\"abc", "\"\\u12", "12", "tru", "{\"a\":\"\\ud83d"])
  func memoryBounds(text: String) throws {
    let page = Int(sysconf(Int32(_SC_PAGESIZE)))
    let memory = try #require(mmap(nil, page * 2, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0))
    defer { munmap(memory, page * 2) }
    try #require(mprotect(memory + page, page, PROT_NONE) == 0)
    var parser = try JSONParser()
    let bytes = Array(text.utf8)
    let start = memory + page - bytes.count
    start.copyMemory(from: bytes, byteCount: bytes.count)
    let view = ByteView(UnsafeRawBufferPointer(start: start, count: bytes.count))
    do throws(JSONError) {
      _ = try parser.parse(view)
      #expect(text == "12")
    } catch {
      #expect(text != "12")
    }
    #expect(view.isUTF8)
  }

  @Test("random texts are accepted exactly when Foundation accepts them")
  func differential() throws {
    var random = SeededGenerator(seed: 0xD1FF)
    var parser = try JSONParser()
    let pieces = [
      "{", "}", "[", "]", ":", ",", "\"", "a", "1", "-", ".", "e", "0", "true", "null", " ", "\n", "\"k\"",
      "\"k\":",
      "\\", "\\n", "\\u00e9", "12.5", "{\"a\":1}", "[1,2]", "é",
    ]
    var accepted = 0
    for round in 0..<20_000 {
      var text = round % 2 == 0 ? "" : #"{"a":[1,{"b":"c\n"},null],"d":-1.5e2}"#
      if round % 2 == 0 {
        for _ in 0..<Int.random(in: 1...7, using: &random) {
          text += pieces.randomElement(using: &random) ?? ""
        }
      } else {
        for _ in 0..<Int.random(in: 0...2, using: &random) {
          let index = text.index(text.startIndex, offsetBy: Int.random(in: 0..<text.count, using: &random))
          text.replaceSubrange(index...index, with: pieces.randomElement(using: &random) ?? "")
          if text.isEmpty { text = "1" }
        }
      }
      let ours: Bool = text.withByteView { view in
        do throws(JSONError) {
          _ = try parser.parse(view)
          return true
        } catch { return false }
      }
      let theirs =
        (try? JSONSerialization.jsonObject(with: Data(text.utf8), options: .fragmentsAllowed)) != nil
      #expect(ours == theirs, "\(text.debugDescription), \(random), round \(round)")
      accepted += ours ? 1 : 0
    }
    #expect(accepted > 1_000)
  }
}
