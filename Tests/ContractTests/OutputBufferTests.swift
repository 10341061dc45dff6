import Foundation
import SeededTesting
import Testing

@testable import Contract

@Suite struct OutputBufferTests {
  private func written(_ write: (inout OutputBuffer) -> Void) -> String {
    var buffer = OutputBuffer(capacity: 0)
    write(&buffer)
    return buffer.view.string
  }

  private func parsed(_ json: String) throws -> String {
    let value = try JSONSerialization.jsonObject(with: Data(json.utf8), options: .fragmentsAllowed)
    return try #require(value as? String)
  }

  @Test(
    "integers are written in decimal",
    arguments: [0, 1, -1, 9, 10, -10, 99, 100, 1_234_567_890, .max, .min, 1_000_000_000_000_000_000]
      as [Int64])
  func decimals(value: Int64) {
    #expect(written { $0.append(decimal: value) } == "\(value)")
  }

  @Test("random integers are written in decimal, hexadecimal and LEB128 as they can be read back")
  func randomIntegers() {
    var random = SeededGenerator(seed: 0xDEC1)
    for _ in 0..<2_000 {
      let bits = UInt64.random(in: 0...(.max), using: &random) >> UInt64.random(in: 0...63, using: &random)
      let signed = Int64(bitPattern: bits)
      #expect(written { $0.append(decimal: signed) } == "\(signed)")
      #expect(UInt64(written { $0.append(hex: bits) }, radix: 16) == bits)
      var buffer = OutputBuffer(capacity: 0)
      buffer.append(varint: bits)
      var value: UInt64 = 0
      for (index, byte) in buffer.view.buffer.enumerated() {
        value |= UInt64(byte & 0x7F) << UInt64(index * 7)
        #expect((byte & 0x80 != 0) == (index < buffer.count - 1), "only the last byte of \(bits) has no mark")
      }
      #expect(value == bits)
    }
  }

  @Test("the borders of LEB128 take as many bytes as their bits need")
  func varintLengths() {
    for (value, length) in [(0, 1), (127, 1), (128, 2), (16_383, 2), (16_384, 3), (UInt64.max, 10)] {
      var buffer = OutputBuffer(capacity: 0)
      buffer.append(varint: UInt64(value))
      #expect(buffer.count == length)
    }
  }

  @Test("every character survives a JSON string")
  func jsonEscaping() throws {
    for scalar in (0..<0x300).compactMap({ Unicode.Scalar(UInt32($0)) }) + ["\u{2028}", "\u{FFFD}", "😀"] {
      let text = "a\(scalar)\"b\\\(scalar)"
      #expect(try parsed(written { $0.append(jsonString: text) }) == text)
    }
    #expect(written { $0.append(jsonString: "\u{1}\n\t\r\u{1F}\"\\") } == #""\u0001\n\t\r\u001f\"\\""#)
    #expect(written { $0.append(jsonString: "") } == "\"\"")
  }

  @Test("a character that needs an escape is found at every place of a text of every length")
  func escapePlaces() throws {
    for length in 1...40 {
      for place in 0..<length {
        for special in ["\"", "\\", "\u{0}", "\u{1F}"] {
          let text =
            String(repeating: "é!", count: place) + special + String(repeating: "#", count: length - place)
          #expect(try parsed(written { $0.append(jsonString: text) }) == text)
        }
      }
    }
  }

  @Test("random texts survive a JSON string")
  func randomJSON() throws {
    var random = SeededGenerator(seed: 0x7E97)
    for _ in 0..<500 {
      var text = ""
      for _ in 0..<Int.random(in: 0...200, using: &random) {
        let range: ClosedRange<UInt32> = Bool.random(using: &random) ? 0...0x7F : 0...0x10FFFF
        if let scalar = Unicode.Scalar(UInt32.random(in: range, using: &random)) {
          text.unicodeScalars.append(scalar)
        }
      }
      let copy = try parsed(written { $0.append(jsonString: text) })
      #expect(Array(copy.unicodeScalars) == Array(text.unicodeScalars), "\(random)")
    }
  }

  @Test("instants are written as Foundation writes them, also before the epoch")
  func times() {
    let style = Date.ISO8601FormatStyle(includingFractionalSeconds: true)
    var random = SeededGenerator(seed: 0x71AE)
    // From 1600 on: before, Foundation's calendar is the Julian one.
    for _ in 0..<5_000 {
      let milliseconds = Int64.random(in: -11_600_000_000_000...253_402_300_799_999, using: &random)
      let (seconds, millis) = milliseconds.flooredQuotientAndRemainder(dividingBy: 1000)
      let whole = Date(timeIntervalSince1970: Double(seconds)).formatted(.iso8601)
      let expected = "\"\(whole.dropLast()).\(String(format: "%03d", Int(millis)))Z\""
      #expect(written { $0.append(jsonTime: milliseconds) } == expected, "\(milliseconds), \(random)")
    }
    #expect(written { $0.append(jsonTime: 0) } == "\"\(Date(timeIntervalSince1970: 0).formatted(style))\"")
    #expect(written { $0.append(jsonTime: -1) } == "\"1969-12-31T23:59:59.999Z\"")
    #expect(written { $0.append(jsonTime: 951_782_400_000) } == "\"2000-02-29T00:00:00.000Z\"")
  }

  @Test(
    "bytes are put in front of others, with room for them or without, and before or after the buffer has grown"
  )
  func prepending() {
    let memory = OutputMemory(limit: 1 << 20)
    for headroom in [0, 3, 10, 100, 10_000] {
      for length in [0, 1, 50, 500, 100_000] {
        var buffer = OutputBuffer(capacity: 128, memory: memory)
        buffer.append("forgotten")
        buffer.removeAll(headroom: headroom)
        let text = String(repeating: "x", count: length)
        buffer.append(text: text)
        buffer.prepend(ByteView("in front, "))
        buffer.append("|")
        #expect(buffer.view.string == "in front, \(text)|")
        buffer.prepend(ByteView("further "))
        buffer.shrink()
        #expect(buffer.view.string == "further in front, \(text)|")
        buffer.removeAll(headroom: headroom)
        buffer.shrink()
        buffer.append(text: text)
        buffer.prepend(ByteView("in front, "))
        #expect(buffer.view.string == "in front, \(text)")
      }
    }
  }

  @Test("an instant does not depend on the one that the same buffer wrote before")
  func timesOfOneBuffer() {
    var random = SeededGenerator(seed: 0xDA7)
    var buffer = OutputBuffer(capacity: 0)
    for _ in 0..<2_000 {
      // About every other one is of the day before it.
      let day = Int64.random(in: 20_000...20_001, using: &random) * 86_400_000
      let milliseconds = day + Int64.random(in: 0..<86_400_000, using: &random)
      buffer.removeAll()
      buffer.append(jsonTime: milliseconds)
      #expect(buffer.view.string == written { $0.append(jsonTime: milliseconds) }, "\(random)")
    }
  }

  @Test("instants beyond the years 0 to 9999 are clamped")
  func clampedTimes() {
    #expect(written { $0.append(jsonTime: .min) } == "\"0000-01-01T00:00:00.000Z\"")
    #expect(written { $0.append(jsonTime: .max) } == "\"9999-12-31T23:59:59.999Z\"")
  }

  @Test("base64 is what Foundation makes of the same bytes, and comes back")
  func base64() throws {
    var random = SeededGenerator(seed: 0xB64)
    for length in 0..<200 {
      let bytes = (0..<length).map { _ in UInt8.random(in: 0...255, using: &random) }
      let encoded = written { buffer in bytes.withUnsafeBytes { buffer.append(base64: ByteView($0)) } }
      #expect(encoded == "\"\(Data(bytes).base64EncodedString())\"", "\(random)")
      var scratch = OutputBuffer()
      let decoded = String(encoded.dropFirst().dropLast()).withByteView { text in
        Base64.decode(text, scratch: &scratch).map { Array($0.buffer) }
      }
      #expect(decoded == bytes)
    }
  }

  @Test(
    "a text that is not base64 is refused",
    arguments: ["a", "ab", "abc", "ab=c", "====", "a===", "aGl=", "aG k", "aGk\n"])
  func notBase64(text: String) {
    var scratch = OutputBuffer()
    let isDecoded = text.withByteView { Base64.decode($0, scratch: &scratch) != nil }
    #expect(!isDecoded)
  }

  @Test("a buffer keeps what was written while it grows, is cut and shrinks")
  func memory() {
    var buffer = OutputBuffer(capacity: 0, memory: OutputMemory(limit: 1 << 20))
    for number in 0..<100_000 { buffer.append(littleEndian: UInt32(number)) }
    #expect(buffer.count == 400_000)
    buffer.shrink()
    for number in 0..<100_000 {
      #expect(Self.integer(number, of: buffer.view) == UInt32(number))
    }
    buffer.truncate(to: 4)
    buffer.shrink()
    #expect(buffer.capacity == OutputMemory.smallest)
    buffer.overwrite(at: 0, littleEndian: 0x0403_0201)
    buffer.overwrite(at: 1, littleEndian: 0)
    #expect(Array(buffer.view.buffer) == [1, 2, 3, 4])
  }

  /// The little-endian integer at a place.
  private static func integer(_ number: Int, of view: ByteView) -> UInt32 {
    (0..<4).reduce(0) { $0 | UInt32(view[number * 4 + $1]) << UInt32(8 * $1) }
  }
}
