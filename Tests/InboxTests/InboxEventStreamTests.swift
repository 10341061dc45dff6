import Foundation
import NIOCore
import Testing

@testable import Inbox

@Suite("The events of an inbox")
struct InboxEventStreamTests {
  private let directory: TemporaryDirectory
  private let store: InboxStore
  private let signals = InboxSignals()

  init() throws {
    directory = try TemporaryDirectory()
    store = try InboxStore(path: directory.database)
  }

  private func stream(since: Int64?) throws -> InboxEventStream.Iterator {
    let signal = try #require(signals.follow(Fixture.ada))
    return InboxEventStream(store: store, recipient: Fixture.ada, since: since, signals: signal)
      .makeAsyncIterator()
  }

  /// The ids and names of the events in a piece of the stream.
  private func events(_ buffer: ByteBuffer?) throws -> [String] {
    let text = String(buffer: try #require(buffer))
    return text.components(separatedBy: "\n\n").compactMap { event in
      let lines = event.split(separator: "\n")
      guard let id = lines.first(where: { $0.hasPrefix("id: ") }),
        let name = lines.first(where: { $0.hasPrefix("event: ") })
      else { return nil }
      return "\(id.dropFirst(4)) \(name.dropFirst(7))"
    }
  }

  @Test("a client that knows nothing gets the counters, then what happens from there on")
  func fresh() async throws {
    _ = try store.apply(Fixture.batch(0..<2))
    var events = try stream(since: nil)
    #expect(try self.events(try await events.next()) == ["2 state"])
    _ = try store.apply(Fixture.batch(2..<3))
    signals.notify([Fixture.ada])
    #expect(try self.events(try await events.next()) == ["3 notification"])
  }

  @Test("a client that comes back gets exactly what it missed, each change with its number")
  func resume() async throws {
    _ = try store.apply(Fixture.batch(0..<3))
    _ = try await store.markRead(delivery: Fixture.id(0), of: Fixture.ada)
    var events = try stream(since: 2)
    #expect(try self.events(try await events.next()).isEmpty)
    #expect(try self.events(try await events.next()) == ["3 notification", "4 notification"])
  }

  @Test("a stream that breaks off anywhere in a burst goes on there, and misses nothing")
  func burst() async throws {
    _ = try store.apply(Fixture.batch(0..<250))
    _ = try await store.markAllRead(of: Fixture.ada)
    var seen: [String] = []
    var last: Int64 = 0
    while last < 500 {
      // Each connection takes one piece only, and its last event is lost on the way.
      var events = try stream(since: last)
      _ = try await events.next()
      let piece = try self.events(try await events.next())
      let taken = last + Int64(piece.count) >= 250 && piece.count == 1 ? piece : Array(piece.dropLast())
      seen += taken
      last = try #require(Int64(taken.last?.split(separator: " ").first ?? ""))
    }
    #expect(seen == (251...500).map { "\($0) notification" })
  }

  @Test("a client that knows a later number than the inbox has is told to load anew")
  func reset() async throws {
    _ = try store.apply(Fixture.batch(0..<2))
    var events = try stream(since: 77)
    #expect(try self.events(try await events.next()) == ["2 reset"])
  }

  @Test("an idle stream says that it lives, and ends with the server")
  func idle() async throws {
    var events = try stream(since: nil)
    _ = try await events.next()
    signals.notifyAll()
    #expect(String(buffer: try #require(try await events.next())) == ": alive\n\n")
    signals.close()
    #expect(try await events.next() == nil)
    #expect(signals.follow(Fixture.ada) == nil)
  }

  @Test("a title cannot forge an event of the stream")
  func injection() async throws {
    var batch = InboxBatch(topic: "t")
    batch.append(Fixture.entry(0, title: "a\n\nid: 9\nevent: reset\ndata: {}\n\n"), partition: 0, offset: 0)
    _ = try store.apply(batch)
    var events = try stream(since: 0)
    _ = try await events.next()
    #expect(try self.events(try await events.next()) == ["1 notification"])
  }

  @Test("a change of an inbox does not wake who follows one with another spelling of the name")
  func spellings() async throws {
    let signals = InboxSignals()
    let one = try #require(signals.follow(InboxRecipient(recipient: "Zo\u{E9}")))
    let other = try #require(signals.follow(InboxRecipient(recipient: "Zoe\u{301}")))
    signals.notify([InboxRecipient(recipient: "Zo\u{E9}")])
    // What was signalled before the end is still read.
    signals.close()
    #expect(await one.reduce(0) { count, _ in count + 1 } == 1)
    #expect(await other.reduce(0) { count, _ in count + 1 } == 0)
  }

  @Test("followers are bounded, and a place is free again when one has gone")
  func bounded() throws {
    let signals = InboxSignals(limit: 2)
    var first = signals.follow(Fixture.ada)
    let second = signals.follow(Fixture.ada)
    #expect(first != nil && second != nil)
    #expect(signals.follow(Fixture.ada) == nil)
    first = nil
    #expect(signals.followerCount == 1)
    #expect(signals.follow(Fixture.ada) != nil)
  }
}
