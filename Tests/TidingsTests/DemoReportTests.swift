import Contract
import Foundation
import Pipeline
import Testing

@testable import tidings

@Suite("The demo's snapshot and report")
struct DemoReportTests {
  private var finished: DemoSnapshot {
    var snapshot = DemoSnapshot()
    snapshot.totals = PublishTotals(events: 3, notifications: 4, repeatedNotifications: 1, records: 4)
    snapshot.published = 6
    snapshot.counters.consumed = 8
    snapshot.counters.decided = 6
    snapshot.counters.forwarded = 2
    snapshot.counters.forwards = 2
    for channel in Channel.allCases {
      snapshot.counters[channel].accepted = 5
      snapshot.counters[channel].delivered = 4
      snapshot.counters[channel].suppressed[.duplicate] = 1
    }
    snapshot.mails = 2
    snapshot.inboxRows = 4
    return snapshot
  }

  @Test("everything is decided when published and forwarded records are consumed and no window is open")
  func decided() {
    #expect(finished.isDecided)
    var snapshot = finished
    snapshot.counters.consumed = 7
    #expect(!snapshot.isDecided)
    #expect(snapshot.openWork.contains("1 of 6 published"))
    snapshot = finished
    snapshot.openWindows = 1
    #expect(!snapshot.isDecided)
    snapshot = finished
    snapshot.counters[.email].open = 1
    #expect(!snapshot.isDecided)
    #expect(snapshot.openWork.contains("1 notification open"))
  }

  @Test("what was done on the page is consumed, too, before everything is decided")
  func engagements() {
    var snapshot = finished
    snapshot.engagements = 1
    #expect(!snapshot.isDecided)
    #expect(snapshot.openWork.contains("1 of 7 published"))
    snapshot.counters.consumed += 1
    snapshot.counters.decided += 1
    #expect(snapshot.isDecided)
  }

  @Test("an input that can be read once only is refused, since it is read twice")
  func inputOfAPipe() throws {
    let folder = try TemporaryFolder()
    let pipe = Pipe()
    for path in ["-", "/dev/fd/\(pipe.fileHandleForReading.fileDescriptor)", folder.path] {
      let error = #expect(throws: (any Error).self, "\(path)") {
        _ = try DemoCommand.parse(["--input", path])
      }
      #expect(error.map { DemoCommand.message(for: $0) }?.contains("read twice") == true)
    }
    _ = try DemoCommand.parse(["--input", try folder.write([], to: "events.ndjson")])
    // What is not there is told when it is opened, by its name.
    _ = try DemoCommand.parse(["--input", "\(folder.path)/nothing"])
  }

  @Test("the report has exactly the promised keys, and sums both channels")
  func keys() throws {
    let folder = try TemporaryFolder()
    let path = "\(folder.path)/report.json"
    let report = DemoReport(finished, seconds: 1.23456)
    #expect(report.difference == 0)
    try report.write(to: path)
    let json = try JSONSerialization.jsonObject(with: Data(contentsOf: URL(fileURLWithPath: path)))
    let object = try #require(json as? [String: Any])
    #expect(
      Set(object.keys) == [
        "events", "notifications", "repeatedNotifications", "accepted", "delivered", "suppressed", "expired",
        "retracted", "collapsed", "open", "rejected", "emailsSent", "inboxRows", "seconds",
      ])
    #expect(object["accepted"] as? Int == 10)
    #expect(object["delivered"] as? Int == 8)
    #expect((object["suppressed"] as? [String: Int])?["duplicate"] == 2)
    #expect(object["emailsSent"] as? Int == 2)
    #expect(object["seconds"] as? Double == 1.235)
  }

  @Test("a notification that vanished shows in the report's difference")
  func difference() {
    var snapshot = finished
    snapshot.counters[.email].delivered -= 1
    #expect(DemoReport(snapshot, seconds: 0).difference == 1)
  }

  @Test("what the lines of the terminal and the plain line say agrees with the counters")
  func rendering() {
    #expect(finished.plain == "published 4  accepted 10  delivered 8  suppressed 2  open 0  mails 2  inbox 4")
    #expect(finished.lines.contains { $0.contains("suppressed") && $0.contains("duplicate 2") })
  }

  @Test("a recipient's address is one, whatever the id holds")
  func addresses() {
    #expect(DemoRecipients.address(of: "u0001") == "u0001@example.org")
    #expect(DemoRecipients.address(of: "ada.b-1") == "ada.b-1@example.org")
    for odd in [".", "a..b", "ä b", "x@y", "a.", "\"", String(repeating: "x", count: 500)] {
      let address = DemoRecipients.address(of: odd)
      let local = address.dropLast("@example.org".count)
      #expect(address.hasSuffix("@example.org") && (1...64).contains(local.count), "\(odd)")
      #expect(
        local.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || "._+-".contains($0)) }, "\(odd)")
      #expect(!local.hasPrefix(".") && !local.hasSuffix(".") && !local.contains(".."), "\(odd)")
    }
  }

  @Test("a folder that is no demo's is left alone, and a demo's is emptied")
  func folder() throws {
    let folder = try TemporaryFolder()
    _ = try folder.write([1], to: "precious")
    #expect(throws: InputError.self) { _ = try DemoFolder(path: folder.path) }
    let demo = try DemoFolder(path: "\(folder.path)/demo")
    try FileManager.default.createDirectory(atPath: "\(demo.mail)/new", withIntermediateDirectories: true)
    _ = try folder.write([1], to: "demo/inbox.sqlite-wal")
    _ = try folder.write([1], to: "demo/note")
    _ = try DemoFolder(path: demo.path)
    #expect(
      try FileManager.default.contentsOfDirectory(atPath: demo.path).sorted() == [".tidings-demo", "note"])
  }
}
