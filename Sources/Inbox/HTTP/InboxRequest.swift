import Foundation
import Hummingbird

/// The parts of a request that several routes read, with the bounds that they have.
struct InboxRequest {
  /// The longest tenant or recipient id, in bytes.
  static let idLimit = 512

  let request: Request
  let parameters: Parameters

  /// `{recipient}` of the path and `tenant` of the query.
  func recipient() throws -> InboxRecipient {
    guard let raw = parameters.get("recipient"), let name = raw.removingPercentEncoding else {
      throw Problem(.badRequest, "The recipient in the path is not percent-encoded UTF-8.")
    }
    return InboxRecipient(tenant: try tenant() ?? "default", recipient: try Self.checked(name, "recipient"))
  }

  /// `tenant` of the query; nil without one.
  func tenant() throws -> String? {
    try query("tenant").map { try Self.checked($0, "tenant") }
  }

  /// A parameter of the query, which is written as the URL standard writes forms (`application/x-www-form-urlencoded`);
  /// nil where it is missing or empty.
  ///
  /// It may be named once, and in this spelling: a proxy that looks for it, perhaps without regard to case, must not
  /// find another value than is used here.
  func query(_ name: String) throws -> String? {
    let mentions = (request.uri.query ?? "").utf8.split(separator: UInt8(ascii: "&")).compactMap { pair in
      let parts = pair.split(separator: UInt8(ascii: "="), maxSplits: 1, omittingEmptySubsequences: false)
      let spelling = parts.first.flatMap { Self.decoded($0) }
      return spelling?.lowercased() == name ? (spelling: spelling, value: parts.dropFirst().first) : nil
    }
    guard let mention = mentions.first else { return nil }
    guard mentions.count == 1 else { throw Problem(.badRequest, "The query may name \(name) once.") }
    guard mention.spelling == name else {
      throw Problem(.badRequest, "The query must name \(name) in lower case.")
    }
    guard let encoded = mention.value else { return nil }
    guard let value = Self.decoded(encoded) else {
      throw Problem(.badRequest, "The \(name) in the query is not percent-encoded UTF-8.")
    }
    return value.isEmpty ? nil : value
  }

  private static func decoded(_ part: Substring.UTF8View) -> String? {
    String(decoding: part.map { $0 == UInt8(ascii: "+") ? UInt8(ascii: " ") : $0 }, as: UTF8.self)
      .removingPercentEncoding
  }

  /// An integer of the query within bounds.
  func integer(_ name: String, _ bounds: ClosedRange<Int64>) throws -> Int64? {
    guard let text = try query(name) else { return nil }
    guard let value = Int64(text), bounds.contains(value) else {
      throw Problem(
        .badRequest,
        "\(name) is \"\(text.prefix(40))\"; it must be a whole number from \(bounds.lowerBound) to "
          + "\(bounds.upperBound)."
      )
    }
    return value
  }

  /// `true` or `false` of the query; false where it is missing.
  func flag(_ name: String) throws -> Bool {
    switch try query(name) {
    case nil, "false": false
    case "true": true
    case .some(let text):
      throw Problem(.badRequest, "\(name) is \"\(text.prefix(40))\"; it must be true or false.")
    }
  }

  private static func checked(_ id: String, _ what: String) throws -> String {
    guard !id.isEmpty, id.utf8.count <= idLimit else {
      throw Problem(.badRequest, "The \(what) must have 1 to \(idLimit) bytes.")
    }
    let isForbidden = id.unicodeScalars.contains {
      $0 == "/" || $0.properties.generalCategory == .control
    }
    guard !isForbidden else {
      throw Problem(.badRequest, "The \(what) must hold neither a slash nor control characters.")
    }
    return id
  }
}
