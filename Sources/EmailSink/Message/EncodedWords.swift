import Foundation

/// Encoded words of RFC 2047 in UTF-8: text outside ASCII in headers.
enum EncodedWords {
  /// The text as encoded words, to be joined by single spaces or folds, which a reader drops again.
  ///
  /// Each is at most 56 characters, so that also the first one fits on the line of a field's name, and none splits
  /// a character. The B encoding is used throughout: its length is known before, and it is allowed everywhere,
  /// phrases included.
  static func words(of text: String) -> [String] {
    var words: [String] = []
    var chunk: [UInt8] = []
    for scalar in text.unicodeScalars {
      let encoded = UTF8.encode(scalar) ?? UTF8.encodedReplacementCharacter
      if chunk.count + encoded.count > chunkLimit {
        words.append(word(of: chunk))
        chunk.removeAll(keepingCapacity: true)
      }
      chunk += encoded
    }
    if !chunk.isEmpty { words.append(word(of: chunk)) }
    return words
  }

  /// 33 bytes are 44 characters of base64; with `=?utf-8?B?` and `?=` 56.
  private static let chunkLimit = 33

  private static func word(of bytes: [UInt8]) -> String {
    "=?utf-8?B?\(Data(bytes).base64EncodedString())?="
  }
}
