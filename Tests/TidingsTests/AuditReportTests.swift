import Audit
import Testing

@testable import tidings

@Suite("The report of an audit")
struct AuditReportTests {
  @Test("a finding names what, where and which, as people need it")
  func finding() {
    let finding = Finding(
      kind: .lostDelivery, id: "delivery 0123", topic: "tidings.delivery.email", partition: 3, offset: nil,
      detail: "decision 3-17 names it")
    #expect(
      finding.description == "lostDelivery: tidings.delivery.email [3], delivery 0123: decision 3-17 names it"
    )
  }

  @Test("without partitions the law holds, and the table has a line for each part of it")
  func empty() {
    let text = AuditReport(partitions: [], records: 0).text
    #expect(text.contains("consumed"))
    #expect(text.contains("The law holds: difference 0 (0 records read)."))
  }
}
