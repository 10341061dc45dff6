extension EmailMessage {
  /// The mail as bytes in the Internet Message Format (RFC 5322) with CRLF line ends, as SMTP's `DATA` and a
  /// Maildir file take it. 7-bit only, no line over 998 bytes.
  ///
  /// libcurl's MIME API can be read only by libcurl's own transfers and draws a random boundary. One serialiser of
  /// ours gives both transports the same bytes, and each retry the bytes of the first attempt.
  public func serialized() -> [UInt8] {
    // "=_" cannot occur in quoted-printable text, hence no body contains the boundary (RFC 2045, 6.7).
    let boundary = "=_\(deliveryID)"
    var bytes: [UInt8] = []
    bytes.reserveCapacity(1024 + (text.utf8.count + html.utf8.count) * 5 / 4)
    writeHeaders(boundary: boundary, to: &bytes)
    for (subtype, body) in [("plain", text), ("html", html)] {
      bytes += "--\(boundary)\r\n".utf8
      bytes += "Content-Type: text/\(subtype); charset=utf-8\r\n".utf8
      bytes += "Content-Transfer-Encoding: quoted-printable\r\n\r\n".utf8
      QuotedPrintable.append(body, to: &bytes)
      bytes += "\r\n".utf8
    }
    bytes += "--\(boundary)--\r\n".utf8
    return bytes
  }

  private func writeHeaders(boundary: String, to bytes: inout [UInt8]) {
    var headers = HeaderWriter()
    headers.append("Date", verbatim: InternetDate.text(milliseconds: dateMilliseconds))
    headers.append("From", mailbox: from)
    headers.append("To", mailbox: EmailMailbox(name: nil, address: to))
    headers.append("Subject", text: boundedSubject)
    headers.append("Message-ID", verbatim: "<\(deliveryID)@\(from.address.domain)>")
    // RFC 3834: nobody is to answer this by machine.
    headers.append("Auto-Submitted", verbatim: "auto-generated")
    headers.append("List-Id", verbatim: "<\(listLabel).\(from.address.domain)>")
    if let unsubscribeLink {
      // RFC 2369 and RFC 8058. Whoever signs the mail (DKIM) has to sign both.
      headers.append("List-Unsubscribe", verbatim: "<\(unsubscribeLink)>")
      headers.append("List-Unsubscribe-Post", verbatim: "List-Unsubscribe=One-Click")
    }
    headers.append("X-Tidings-Delivery", verbatim: deliveryID.description)
    if let category { headers.append("X-Tidings-Category", text: category) }
    headers.append("MIME-Version", verbatim: "1.0")
    headers.append("Content-Type", verbatim: "multipart/alternative; boundary=\"\(boundary)\"")
    bytes += headers.bytes
    bytes += "\r\n".utf8
  }

  private var boundedSubject: String {
    let line = HeaderWriter.singleLine(subject)
    guard line.count > Self.subjectLimit else { return line }
    return line.prefix(Self.subjectLimit - 1) + "…"
  }

  /// The category as one label of a `List-Id` (RFC 2919), at most 60 characters.
  private var listLabel: String {
    let bytes = (category ?? "").utf8.prefix(60)
    let label = String(decoding: bytes.map { isLetterOrDigit($0) ? $0 : UInt8(ascii: "-") }, as: UTF8.self)
    return label.isEmpty ? "notifications" : label
  }
}
