import Testing

@testable import Contract

struct HeaderListTests {
  @Test("a list keeps its headers in their order, however many there are, and begins anew in the same memory")
  func headers() {
    var list = HeaderList(capacity: 2)
    #expect(list.view.isEmpty)
    let text = ByteView("0123456789")
    for number in 0..<300 {
      list.append(HeaderView(name: text.slice(0..<number % 10), value: number % 7 == 0 ? nil : text))
    }
    list.set(value: ByteView("other"), at: 77)
    #expect(list.view.count == 300)
    for (number, header) in list.view.enumerated() {
      #expect(header.name == text.slice(0..<number % 10))
      let expected = number == 77 ? "other" : number % 7 == 0 ? nil : "0123456789"
      #expect(header.value?.string == expected)
    }
    let start = list.view.baseAddress
    list.removeAll()
    #expect(list.view.isEmpty)
    list.append("content-type", ByteView("text/plain"))
    #expect(list.view.map(\.name.string) == ["content-type"])
    #expect(list.view.map { $0.value?.string } == ["text/plain"])
    #expect(list.view.baseAddress == start)
  }

  @Test("the smallest list has room for one")
  func smallest() {
    var list = HeaderList(capacity: 0)
    list.append("a", ByteView("1"))
    list.append("b", ByteView("2"))
    #expect(list.view.map(\.name.string) == ["a", "b"])
  }
}
