import Foundation
import SeededTesting
import Testing

@testable import EmailSink

/// Reads each file named on the command line with the strict policy, and prints per file a JSON object of what it
/// found. A defect raises there, and is collected besides.
private let parserProgram = """
  import email, email.policy, json, sys
  for path in sys.argv[1:]:
    with open(path, 'rb') as file:
      message = email.message_from_binary_file(file, policy=email.policy.strict)
    defects = [str(d) for part in message.walk() for d in part.defects]
    for part in message.walk():
      for name in part.keys():
        defects += [name + ': ' + str(d) for d in part[name].defects]
    text = message.get_body(preferencelist=('plain',)).get_content()
    html = message.get_body(preferencelist=('html',)).get_content()
    print(json.dumps({'defects': defects, 'subject': str(message['Subject']), 'from': str(message['From']),
      'category': str(message['X-Tidings-Category']), 'date': str(message['Date']), 'text': text, 'html': html}))
  """

private struct Parsed: Decodable {
  let defects: [String]
  let subject: String
  let from: String
  let category: String
  let date: String
  let text: String
  let html: String
}

private let python = PythonProcess.interpreter(with: "email")

@Suite(
  "Python's email parser with the strict policy",
  .enabled(if: python != nil, "needs python3 in /usr/bin or /usr/local/bin"))
struct PythonParserTests {
  private func parse(_ messages: [EmailMessage]) throws -> [Parsed] {
    let directory = try TemporaryDirectory()
    var paths: [String] = []
    for (index, message) in messages.enumerated() {
      let path = "\(directory.path)/\(index)"
      try Data(message.serialized()).write(to: URL(fileURLWithPath: path))
      paths.append(path)
    }
    let outcome = try PythonProcess.run(try #require(python), ["-c", parserProgram] + paths)
    try #require(outcome.status == 0, "\(outcome.output)")
    return try outcome.output.split(separator: "\n").map {
      try JSONDecoder().decode(Parsed.self, from: Data($0.utf8))
    }
  }

  @Test("finds no defect and reads back subject, category and bodies, whatever they hold")
  func roundTrip() throws {
    var random = SeededGenerator.printed()
    let alphabet = Array("ab F.=?_<>&\"',;:()@\\-–äß漢字😀\u{301}\t")
    var messages: [EmailMessage] = []
    for index in 0..<200 {
      let words: (Int) -> String = { limit in
        String(
          (0..<Int.random(in: 1...limit, using: &random)).map { _ in
            alphabet[Int.random(in: 0..<alphabet.count, using: &random)]
          })
      }
      let body = (0..<5).map { _ in words(150) }.joined(separator: "\n") + "\n"
      let name = index.isMultiple(of: 3) ? nil : words(60)
      messages.append(
        EmailMessage(
          deliveryID: try Samples.deliveryID("d\(index)"),
          from: EmailMailbox(name: name, address: try EmailAddress("tidings@example.org")),
          to: try EmailAddress("to@example.org"), subject: "s" + words(120),
          dateMilliseconds: 1_795_218_347_123,
          category: "c" + words(100), text: body, html: body))
    }
    let parsed = try parse(messages)
    try #require(parsed.count == messages.count)
    for (message, result) in zip(messages, parsed) {
      #expect(result.defects == [])
      #expect(
        result.subject == HeaderWriter.singleLine(message.subject), "\(message.subject.debugDescription)")
      #expect(result.category == message.category.map { HeaderWriter.singleLine($0) })
      #expect(result.text == message.text)
      #expect(result.html == message.html)
      #expect(result.date == "Fri, 20 Nov 2026 23:45:47 +0000")
    }
  }

  @Test("reads the subjects and names that need care")
  func subjects() throws {
    let subjects = [
      "", "=?utf-8?B?aGFjaw==?=", "plain", "two words", "ends with =", String(repeating: "x", count: 199),
      String(repeating: "word ", count: 39) + "end", String(repeating: "ä", count: 200), "ü",
      "漢字かな交じり文 and ASCII",
    ]
    let parsed = try parse(subjects.map { try Samples.message(subject: $0) })
    #expect(parsed.map(\.subject) == subjects)
    #expect(parsed.allSatisfy { $0.defects.isEmpty })
  }
}
