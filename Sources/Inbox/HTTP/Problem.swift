import HTTPTypes
import Hummingbird
import Logging

/// An error as the HTTP API tells it (RFC 9457, `application/problem+json`).
struct Problem: Error, Encodable, ResponseGenerator {
  let status: Int
  /// The words of the status.
  let title: String
  /// What is wrong with this request and what would be right.
  let detail: String

  init(_ status: HTTPResponse.Status, _ detail: String) {
    self.status = status.code
    self.title = status.reasonPhrase
    self.detail = detail
  }

  func response(from request: Request, context: some RequestContext) throws -> Response {
    Response(
      status: .init(code: status, reasonPhrase: title),
      headers: [.contentType: "application/problem+json", .cacheControl: "no-store"],
      body: ResponseBody(byteBuffer: ByteBuffer(bytes: try InboxJSON.encode(self))))
  }
}

/// Answers every error with a ``Problem``.
struct ProblemMiddleware<Context: RequestContext>: RouterMiddleware {
  let logger: Logger

  func handle(
    _ request: Request, context: Context, next: (Request, Context) async throws -> Response
  ) async throws -> Response {
    do {
      return try await next(request, context)
    } catch {
      return try problem(error, request).response(from: request, context: context)
    }
  }

  private func problem(_ error: any Error, _ request: Request) -> Problem {
    switch error {
    case let problem as Problem: return problem
    case let error as InboxStoreError:
      logger.error("\(error)", metadata: ["path": "\(request.uri.path)"])
      return error.isTransient
        ? Problem(.serviceUnavailable, "The inbox takes no changes at the moment; try again.")
        : Problem(.internalServerError, "The inbox database failed; the log of the process says why.")
    case let error as HTTPError where error.status == .notFound:
      return Problem(.notFound, "There is nothing at \(request.uri.path).")
    case let error as any HTTPResponseError:
      return Problem(error.status, (error as? HTTPError)?.body ?? error.status.reasonPhrase)
    default:
      logger.error("request failed: \(error)", metadata: ["path": "\(request.uri.path)"])
      return Problem(.internalServerError, "The request failed; the log of the process says why.")
    }
  }
}

/// Refuses what another site's page makes a browser send: there is no login that would tell it from the user.
struct SameSiteMiddleware<Context: RequestContext>: RouterMiddleware {
  private static var fetchSite: HTTPField.Name? { HTTPField.Name("Sec-Fetch-Site") }

  func handle(
    _ request: Request, context: Context, next: (Request, Context) async throws -> Response
  ) async throws -> Response {
    if request.method != .get, request.method != .head { try check(request) }
    return try await next(request, context)
  }

  private func check(_ request: Request) throws {
    if let name = Self.fetchSite, let site = request.headers[name] {
      guard site == "same-origin" || site == "none" else {
        throw Problem(
          .forbidden, "A page of another site must not change an inbox (Sec-Fetch-Site: \(site)).")
      }
      return
    }
    // Over plain http, browsers say the site to loopback only, but the origin with every change. Programs that are no
    // browsers say neither.
    guard let origin = request.headers[.origin] else { return }
    let host = request.head.authority?.lowercased()
    guard let host, origin == "http://\(host)" || origin == "https://\(host)" else {
      throw Problem(
        .forbidden,
        "A page of another site must not change an inbox (Origin: \(origin), Host: \(host ?? "none")).")
    }
  }
}
