import Audit
import Contract

/// A file with records of recipients, as `tidings publish recipients` takes them.
struct RecipientFile {
  private let path: String

  init(path: String) { self.path = path }

  /// The last record of a recipient; nil where the file has none, or it deletes it.
  ///
  /// - Throws: `InputError` with the number of the first line that breaks the contract, or why the file cannot be read.
  func record(of recipient: String, tenant: String) throws -> Forecast.Record? {
    let limit = EventLimits().maxLineBytes
    var lines = try LineReader(path: path, limit: limit)
    var reader = try RecipientLineReader()
    var key = OutputBuffer()
    tenant.withByteView { tenant in
      recipient.withByteView { RecipientKey.append(tenant: tenant, recipient: $0, to: &key) }
    }
    var found: Forecast.Record?
    while let line = try lines.next() {
      do throws(Rejection) {
        if line.isCut { throw Rejection(.recordTooLarge, "The line has more than \(limit) bytes.") }
        let record = try reader.read(line.bytes)
        guard record.key == key.view else { continue }
        found = record.value.map { Forecast.Record(value: $0.string) }
      } catch {
        throw InputError("\(path), line \(line.number): \(error.detail)")
      }
    }
    return found
  }
}
