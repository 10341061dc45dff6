import Contract
import Foundation
import Hummingbird

/// How the inbox writes JSON.
enum InboxJSON {
  static func encode(_ value: some Encodable) throws -> Data { try JSONDocument.data(value, as: .line) }

  static func response(_ value: some Encodable, status: HTTPResponse.Status = .ok) throws -> Response {
    Response(
      status: status, headers: [.contentType: "application/json", .cacheControl: "no-store"],
      body: ResponseBody(byteBuffer: ByteBuffer(bytes: try encode(value))))
  }
}
