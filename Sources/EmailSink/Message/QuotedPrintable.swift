/// The quoted-printable encoding of RFC 2045, 6.7: text that stays readable, in lines of at most 76 characters.
enum QuotedPrintable {
  private static let lineLimit = 76
  private static let digits = Array("0123456789ABCDEF".utf8)

  /// Appends the UTF-8 text encoded. Each line end of the text (LF, CR or CRLF) becomes CRLF.
  static func append(_ text: String, to bytes: inout [UInt8]) {
    var text = text
    text.withUTF8 { source in
      var column = 0
      var index = 0
      while index < source.count {
        let byte = source[index]
        index += 1
        if byte == UInt8(ascii: "\n") || byte == UInt8(ascii: "\r") {
          if byte == UInt8(ascii: "\r"), index < source.count, source[index] == UInt8(ascii: "\n") {
            index += 1
          }
          bytes.append(UInt8(ascii: "\r"))
          bytes.append(UInt8(ascii: "\n"))
          column = 0
          continue
        }
        let endsLine =
          index == source.count || source[index] == UInt8(ascii: "\n") || source[index] == UInt8(ascii: "\r")
        var isLiteral = isLiteral(byte, column: column, endsLine: endsLine)
        // One column is kept for the "=" of a soft line break.
        if column + (isLiteral ? 1 : 3) > lineLimit - 1 {
          bytes += "=\r\n".utf8
          column = 0
          isLiteral = self.isLiteral(byte, column: column, endsLine: endsLine)
        }
        if isLiteral {
          bytes.append(byte)
          column += 1
        } else {
          bytes.append(UInt8(ascii: "="))
          bytes.append(digits[Int(byte >> 4)])
          bytes.append(digits[Int(byte & 15)])
          column += 3
        }
      }
    }
  }

  /// Whether the byte may stand for itself: printable ASCII but "=", blanks within a line. A dot and an "F" that
  /// begin a line are encoded, for the sake of SMTP's dot-stuffing and mbox's "From " lines.
  private static func isLiteral(_ byte: UInt8, column: Int, endsLine: Bool) -> Bool {
    switch byte {
    case UInt8(ascii: " "), UInt8(ascii: "\t"): !endsLine
    case UInt8(ascii: "="): false
    case UInt8(ascii: "."), UInt8(ascii: "F"): column != 0
    default: (0x21...0x7e).contains(byte)
    }
  }
}
