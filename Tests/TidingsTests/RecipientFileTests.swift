import Testing

@testable import tidings

@Suite("A file of recipients")
struct RecipientFileTests {
  private func record(_ lines: [String], of recipient: String, tenant: String = "default") throws -> String? {
    let folder = try TemporaryFolder()
    defer { withExtendedLifetime(folder) {} }
    let path = try folder.write(Array(lines.joined(separator: "\n").utf8), to: "people.ndjson")
    return try RecipientFile(path: path).record(of: recipient, tenant: tenant)?.value
  }

  private let lines = [
    #"{"recipient":"ada","email":"old@example.org"}"#, #"{"recipient":"bob","email":"bob@example.org"}"#,
    #"{"recipient":"ada","tenant":"acme","email":"acme@example.org"}"#,
    #"{"recipient":"ada","email":"new@example.org"}"#, #"{"recipient":"bob","deleted":true}"#,
  ]

  @Test("gives the last record of a recipient, by tenant; a deleted one is none")
  func last() throws {
    #expect(try record(lines, of: "ada")?.contains("new@example.org") == true)
    #expect(try record(lines, of: "ada", tenant: "acme")?.contains("acme@example.org") == true)
    #expect(try record(lines, of: "bob") == nil)
    #expect(try record(lines, of: "eve") == nil)
  }

  @Test("names the line that breaks the contract")
  func broken() throws {
    let error = #expect(throws: InputError.self) { try record(lines + ["{broken"], of: "ada") }
    #expect(error?.description.contains("people.ndjson, line 6: ") == true)
  }
}
