import Foundation
import Testing

@testable import EmailSink

@Suite("the Maildir")
struct MaildirTransportTests {
  @Test("a mail lies in new with the line ends of the system, and tmp is empty")
  func delivered() async throws {
    let directory = try TemporaryDirectory()
    let maildir = try MaildirTransport(directory: "\(directory.path)/a/b")
    let mail = OutgoingMail(try Samples.message())
    #expect(await maildir.send(mail) == .sent(detail: "new/1795218347.d1.tidings"))
    let content = try Data(
      contentsOf: URL(fileURLWithPath: "\(directory.path)/a/b/new/1795218347.d1.tidings"))
    #expect(Array(content) == mail.content.filter { $0 != 13 })
    #expect(try directory.names(in: "a/b/tmp") == [])
    await maildir.shutdown()
  }

  @Test("a repeat replaces the file, also when many writers repeat at once")
  func repeated() async throws {
    let directory = try TemporaryDirectory()
    let first = try MaildirTransport(directory: directory.path, flushesToDisk: false)
    let second = try MaildirTransport(directory: directory.path, flushesToDisk: false)
    let mails = try (0..<20).map { OutgoingMail(try Samples.message(id: "d\($0)")) }
    await withTaskGroup(of: Void.self) { group in
      for maildir in [first, second, first, second] {
        for mail in mails {
          group.addTask {
            guard case .sent = await maildir.send(mail) else {
              Issue.record("not sent: \(mail.deliveryID)")
              return
            }
          }
        }
      }
    }
    #expect(try directory.names(in: "new").count == 20)
    #expect(try directory.names(in: "tmp") == [])
    await first.shutdown()
    await second.shutdown()
  }

  @Test("a Maildir that cannot be made names the path")
  func notCreatable() throws {
    let directory = try TemporaryDirectory()
    let file = "\(directory.path)/file"
    try Data().write(to: URL(fileURLWithPath: file))
    let error = #expect(throws: MaildirError.self) { try MaildirTransport(directory: file) }
    #expect(error?.description.contains(file) == true)
  }

  @Test("a Maildir that vanished makes sending unavailable with path and reason, and loses nothing")
  func vanished() async throws {
    let directory = try TemporaryDirectory()
    let maildir = try MaildirTransport(directory: "\(directory.path)/m")
    try FileManager.default.removeItem(atPath: "\(directory.path)/m")
    let result = await maildir.send(OutgoingMail(try Samples.message()))
    guard case .unavailable(let reason) = result else {
      Issue.record("unexpected: \(result)")
      return
    }
    #expect(reason.contains("\(directory.path)/m/tmp/") && reason.contains("No such file"))
    await maildir.shutdown()
  }

  @Test(
    "a full disk is said in the system's words",
    .enabled(if: access("/dev/full", W_OK) == 0, "needs /dev/full"))
  func fullDisk() async throws {
    let directory = try TemporaryDirectory()
    let maildir = try MaildirTransport(directory: directory.path)
    let error = #expect(throws: MaildirError.self) { try maildir.writeFile([65], at: "/dev/full") }
    #expect(error?.description.contains("/dev/full cannot be written: No space left on device") == true)
    await maildir.shutdown()
  }

  @Test("after the shutdown nothing is sent and nobody waits")
  func closed() async throws {
    let directory = try TemporaryDirectory()
    let maildir = try MaildirTransport(directory: directory.path)
    await maildir.shutdown()
    await maildir.shutdown()
    #expect(
      await maildir.send(OutgoingMail(try Samples.message()))
        == .unavailable(reason: "the Maildir is being closed"))
  }
}
