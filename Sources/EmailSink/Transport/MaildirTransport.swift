import Foundation

/// Puts mail into a Maildir (`tmp`, `new`, `cur`), from where any mail program reads it.
///
/// A file is written in `tmp`, flushed to the disk and renamed into `new`: a reader never sees half a mail. Its name
/// is made of the delivery's time and id, so that a repeated delivery replaces its first file instead of adding a
/// second (unless a mail program has moved the first one to `cur` meanwhile).
public struct MaildirTransport: MailTransport {
  /// The directory that holds `tmp`, `new` and `cur`.
  public let directory: String
  private let flushesToDisk: Bool
  private let threads: TransportThreads<Void>

  /// Opens a Maildir and creates what is missing of its directories.
  ///
  /// - Parameters:
  ///   - directory: the path of the Maildir.
  ///   - flushesToDisk: whether a mail is on the disk (`fsync` of file and directory) before it counts as sent.
  ///     Without it a power failure may lose mail whose offsets are committed: for demonstrations only.
  ///   - threadCount: how many files are written at once.
  /// - Throws: `MaildirError` when a directory can be neither found nor made, or is not writable.
  public init(directory: String, flushesToDisk: Bool = true, threadCount: Int = 4) throws(MaildirError) {
    self.directory = directory
    self.flushesToDisk = flushesToDisk
    for name in ["tmp", "new", "cur"] {
      let path = "\(directory)/\(name)"
      do {
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
      } catch {
        throw MaildirError("the Maildir \(path) cannot be created: \(error.localizedDescription)")
      }
      guard access(path, W_OK | X_OK) == 0 else { throw MaildirError(path, "is not writable") }
    }
    threads = TransportThreads(count: threadCount, name: "maildir") {}
  }

  /// The name of a mail's file: the time in seconds, the delivery's id, and in the host's place a fixed word, since
  /// the id is unique in the world and a repeat on another host is to have the same name.
  static func fileName(of mail: OutgoingMail) -> String {
    "\(max(0, mail.dateMilliseconds / 1000)).\(mail.deliveryID).tidings"
  }

  /// Writes the mail; a full or unwritable disk is `unavailable`, and says so.
  public func send(_ mail: OutgoingMail) async -> MailTransportResult {
    let result = await threads.run { _ -> MailTransportResult in
      do throws(MaildirError) {
        return .sent(detail: try write(mail))
      } catch {
        return .unavailable(reason: error.description)
      }
    }
    return result ?? .unavailable(reason: "the Maildir is being closed")
  }

  /// Ends the writer threads after the mails in progress.
  public func shutdown() async { await threads.shutdown() }

  private func write(_ mail: OutgoingMail) throws(MaildirError) -> String {
    let name = Self.fileName(of: mail)
    // Unlike the final name, this one differs between writers: a second attempt elsewhere must not cut the first.
    let temporary = "\(directory)/tmp/\(name).\(getpid()).\(UInt32.random(in: .min ... .max))"
    let final = "\(directory)/new/\(name)"
    do throws(MaildirError) {
      try writeFile(mail.content, at: temporary)
      guard rename(temporary, final) == 0 else { throw MaildirError(final, "cannot be put in place", errno) }
    } catch {
      unlink(temporary)
      throw error
    }
    if flushesToDisk { try flushDirectory("\(directory)/new") }
    return "new/\(name)"
  }

  /// Writes a new file and flushes it.
  func writeFile(_ content: [UInt8], at path: String) throws(MaildirError) {
    let descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
    guard descriptor >= 0 else { throw MaildirError(path, "cannot be opened", errno) }
    defer { close(descriptor) }
    // Mail in a file has the line ends of its system, as every local delivery agent writes it.
    let lines = content.filter { $0 != UInt8(ascii: "\r") }
    var written = 0
    while written < lines.count {
      let count = lines.withUnsafeBytes { buffer in
        Foundation.write(descriptor, buffer.baseAddress.map { $0 + written }, buffer.count - written)
      }
      if count < 0 && errno == EINTR { continue }
      guard count > 0 else { throw MaildirError(path, "cannot be written", errno) }
      written += count
    }
    if flushesToDisk && fsync(descriptor) != 0 {
      throw MaildirError(path, "cannot be flushed to the disk", errno)
    }
  }

  private func flushDirectory(_ path: String) throws(MaildirError) {
    let descriptor = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard descriptor >= 0 else { throw MaildirError(path, "cannot be opened", errno) }
    defer { close(descriptor) }
    guard fsync(descriptor) == 0 else { throw MaildirError(path, "cannot be flushed to the disk", errno) }
  }
}

/// A Maildir that cannot be used, and why: the path, the operation and the system's words.
public struct MaildirError: Error, CustomStringConvertible {
  /// The sentence to show.
  public let description: String

  init(_ description: String) { self.description = description }

  init(_ path: String, _ fault: String, _ code: Int32 = errno) {
    description = "the Maildir's \(path) \(fault): \(String(cString: strerror(code)))"
  }
}
