import Foundation
import HTTPTypes
import Hummingbird
import Logging

/// Takes an event that somebody wrote on the page, as CloudEvents JSON in structured mode.
///
/// Throws ``InboxPublishRefusal`` when the event breaks the contract; any other error means that Kafka did
/// not take it.
public typealias InboxPublish = @Sendable (_ event: [UInt8]) async throws -> Void

/// An event breaks the contract.
public struct InboxPublishRefusal: Error, Sendable {
  /// What is wrong, in words for the one who wrote it.
  public let reason: String

  /// A refusal with its reason.
  public init(reason: String) { self.reason = reason }
}

/// The HTTP API of the inbox and its page.
///
/// There is no authentication: whoever reaches the port reads and marks every inbox. Listen on loopback, or
/// behind a proxy that knows who asks.
struct InboxRoutes: Sendable {
  /// The largest event that the page may publish, in bytes.
  static let publishLimit = 256 * 1024

  let store: InboxStore
  let signals: InboxSignals
  let publish: InboxPublish?
  let logger: Logger

  func router() -> Router<BasicRequestContext> {
    let router = Router()
    router.addMiddleware {
      ProblemMiddleware(logger: logger)
      SameSiteMiddleware()
    }
    addPage(to: router)
    addQueries(to: router)
    addMarks(to: router)
    addPublish(to: router)
    return router
  }

  private func addQueries(to router: Router<BasicRequestContext>) {
    router.get("api/v1/recipients") { request, context in
      let inbox = InboxRequest(request: request, parameters: context.parameters)
      let recipients = try await store.recentRecipients(
        tenant: inbox.tenant(), prefix: inbox.query("prefix") ?? "",
        limit: Int(inbox.integer("limit", 1...Int64(InboxStore.pageLimit)) ?? 20))
      return try InboxJSON.response(["recipients": recipients])
    }
    router.get("api/v1/recipients/{recipient}/notifications") { request, context in
      let inbox = InboxRequest(request: request, parameters: context.parameters)
      let page = try await store.page(
        of: inbox.recipient(), before: inbox.integer("before", 1...Int64.max),
        limit: Int(inbox.integer("limit", 1...Int64(InboxStore.pageLimit)) ?? 50),
        unreadOnly: inbox.flag("unread"))
      return try InboxJSON.response(page)
    }
    router.get("api/v1/recipients/{recipient}/unread-count") { request, context in
      let inbox = InboxRequest(request: request, parameters: context.parameters)
      return try await InboxJSON.response(store.counters(of: inbox.recipient()))
    }
    router.get("api/v1/recipients/{recipient}/events") { request, context in
      let inbox = InboxRequest(request: request, parameters: context.parameters)
      return try events(inbox, lastEventID: request.headers[Self.lastEventID])
    }
  }

  private static let lastEventID = HTTPField.Name("Last-Event-ID") ?? .ifNoneMatch

  private func events(_ request: InboxRequest, lastEventID: String?) throws -> Response {
    let recipient = try request.recipient()
    var since = try request.integer("since", 0...Int64.max)
    // The header is what a browser sends when it connects again, with the address of the first time.
    if let lastEventID, !lastEventID.isEmpty {
      guard let seq = Int64(lastEventID), seq >= 0 else {
        throw Problem(.badRequest, "Last-Event-ID must be the id of an event of this stream, a whole number.")
      }
      since = seq
    }
    guard let stream = signals.follow(recipient) else {
      throw Problem(.serviceUnavailable, "Too many clients follow an inbox; ask for the list instead.")
    }
    let events = InboxEventStream(store: store, recipient: recipient, since: since, signals: stream)
    var headers: HTTPFields = [.contentType: "text/event-stream", .cacheControl: "no-store"]
    // Asks nginx and its like not to collect events before they hand them on.
    if let buffering = HTTPField.Name("X-Accel-Buffering") { headers[buffering] = "no" }
    return Response(status: .ok, headers: headers, body: ResponseBody(asyncSequence: events))
  }

  private func addMarks(to router: Router<BasicRequestContext>) {
    router.post("api/v1/recipients/{recipient}/notifications/{id}/read") { request, context in
      let recipient = try InboxRequest(request: request, parameters: context.parameters).recipient()
      let id = context.parameters.get("id") ?? ""
      guard let marked = try await store.markRead(delivery: id, of: recipient) else {
        throw Problem(.notFound, "\(recipient.recipient) has no notification \"\(id.prefix(64))\".")
      }
      if marked.marked > 0 { signals.notify([recipient]) }
      return try InboxJSON.response(marked)
    }
    router.post("api/v1/recipients/{recipient}/notifications/{id}/clicked") { request, context in
      let recipient = try InboxRequest(request: request, parameters: context.parameters).recipient()
      let id = context.parameters.get("id") ?? ""
      guard let marked = try await store.markClicked(delivery: id, of: recipient) else {
        throw Problem(.notFound, "\(recipient.recipient) has no notification \"\(id.prefix(64))\".")
      }
      if marked.marked > 0 { signals.notify([recipient]) }
      return try InboxJSON.response(marked)
    }
    router.post("api/v1/recipients/{recipient}/seen-all") { request, context in
      let inbox = InboxRequest(request: request, parameters: context.parameters)
      return try await InboxJSON.response(
        store.markAllSeen(of: inbox.recipient(), through: inbox.integer("through", 0...Int64.max)))
    }
    router.post("api/v1/recipients/{recipient}/read-all") { request, context in
      let inbox = InboxRequest(request: request, parameters: context.parameters)
      let recipient = try inbox.recipient()
      let marked = try await store.markAllRead(
        of: recipient, through: inbox.integer("through", 0...Int64.max))
      if marked.marked > 0 { signals.notify([recipient]) }
      return try InboxJSON.response(marked)
    }
  }

  private func addPublish(to router: Router<BasicRequestContext>) {
    // Tells the page whether to show its form.
    router.get("api/v1") { _, _ in try InboxJSON.response(["publish": publish != nil]) }
    guard let publish else { return }
    router.post("api/v1/events") { request, context in
      let type = request.headers[.contentType]?.lowercased() ?? ""
      // A form of another site can send text/plain without asking, but neither of these.
      guard type.hasPrefix("application/cloudevents+json") || type.hasPrefix("application/json") else {
        throw Problem(.unsupportedMediaType, "The event must come as application/cloudevents+json.")
      }
      let body = try await request.body.collect(upTo: Self.publishLimit)
      do {
        try await publish(Array(body.readableBytesView))
      } catch let refusal as InboxPublishRefusal {
        throw Problem(.unprocessableContent, refusal.reason)
      } catch {
        logger.error("event of the page was not published: \(error)")
        throw Problem(.serviceUnavailable, "Kafka did not take the event: \(error)")
      }
      return try InboxJSON.response(["published": true], status: .accepted)
    }
  }
}
