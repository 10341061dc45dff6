import CCurl
import Foundation

/// The owner of one libcurl handle and of the connection that libcurl keeps open in it between mails.
///
/// Confined to one thread. The handle, its list and its error buffer end with the value.
struct SMTPConnection: ~Copyable {
  private let handle: UnsafeMutableRawPointer?
  private let exchange = SMTPExchange()
  private let errorText: UnsafeMutablePointer<CChar>
  /// Why the handle cannot be used; nil when it can.
  private let fault: String?

  /// libcurl wants to be initialised once per process, before its first use.
  private static let globalState: CURLcode = curl_global_init(Int(CURL_GLOBAL_ALL))

  /// Prepares a handle; nothing is connected before the first mail.
  init(_ settings: SMTPSettings, url: String) {
    errorText = .allocate(capacity: Int(CURL_ERROR_SIZE))
    errorText.initialize(repeating: 0, count: Int(CURL_ERROR_SIZE))
    handle = Self.globalState == CURLE_OK ? curl_easy_init() : nil
    guard let handle else {
      fault = "libcurl could not be initialised"
      return
    }
    var options = CurlOptions(handle: handle)
    options.set(CURLOPT_URL, url)
    options.set(CURLOPT_PROTOCOLS_STR, "smtp,smtps")
    options.set(CURLOPT_PROXY, "")
    options.set(CURLOPT_NOSIGNAL, 1)
    options.set(CURLOPT_UPLOAD, 1)
    options.set(CURLOPT_TCP_KEEPALIVE, 1)
    for (option, value) in Self.timeouts(settings) { options.set(option, value) }
    if let level = settings.security.curlLevel { options.set(CURLOPT_USE_SSL, level) }
    if let file = settings.certificateAuthorityFile { options.set(CURLOPT_CAINFO, file) }
    if let username = settings.username { options.set(CURLOPT_USERNAME, username) }
    if let password = settings.password { options.set(CURLOPT_PASSWORD, password) }
    let context = Unmanaged.passUnretained(exchange).toOpaque()
    options.set(CURLOPT_ERRORBUFFER, pointer: errorText)
    options.set(CURLOPT_READDATA, pointer: context)
    options.set(CURLOPT_DEBUGDATA, pointer: context)
    // The conversation reaches the exchange through the debug callback, which libcurl calls when it is verbose.
    options.set(CURLOPT_VERBOSE, 1)
    options.note("CURLOPT_READFUNCTION", tidings_curl_set_read(handle, smtpRead))
    options.note("CURLOPT_WRITEFUNCTION", tidings_curl_set_write(handle, smtpDiscard))
    options.note("CURLOPT_DEBUGFUNCTION", tidings_curl_set_debug(handle, smtpListen))
    fault = options.fault
  }

  deinit {
    if let handle { curl_easy_cleanup(handle) }
    errorText.deallocate()
  }

  /// The options that bound a mail. libcurl waits for each reply of the server for 2 min, whatever the whole may take,
  /// unless it is told otherwise; one to a mail's content may take 10 min (RFC 5321 §4.5.3.2.6).
  static func timeouts(_ settings: SMTPSettings) -> [(option: CURLoption, value: Int)] {
    [
      (CURLOPT_CONNECTTIMEOUT_MS, settings.connectTimeout.milliseconds),
      (CURLOPT_TIMEOUT_MS, settings.sendTimeout.milliseconds),
      (CURLOPT_SERVER_RESPONSE_TIMEOUT, settings.sendTimeout.wholeSeconds),
    ]
  }

  /// Sends one mail and waits for the server's verdict. Blocks the thread.
  ///
  /// When a connection that was kept open turns out to be closed before the mail itself was sent, the mail is tried
  /// once more on another connection: servers end idle ones without a word.
  func send(_ mail: OutgoingMail) -> MailTransportResult {
    guard let handle, fault == nil else {
      return .unavailable(reason: fault ?? "libcurl could not be initialised")
    }
    guard let recipients = curl_slist_append(nil, "<\(mail.recipient)>") else {
      return .unavailable(reason: "libcurl is out of memory")
    }
    defer { curl_slist_free_all(recipients) }
    var options = CurlOptions(handle: handle)
    options.set(CURLOPT_MAIL_FROM, "<\(mail.sender)>")
    options.note("CURLOPT_MAIL_RCPT", tidings_curl_set_list(handle, CURLOPT_MAIL_RCPT, recipients))
    options.note(
      "CURLOPT_INFILESIZE_LARGE",
      tidings_curl_set_size(handle, CURLOPT_INFILESIZE_LARGE, curl_off_t(mail.content.count)))
    // The list is freed when this returns, hence the handle is not to keep it.
    defer { _ = tidings_curl_set_list(handle, CURLOPT_MAIL_RCPT, nil) }
    if let fault = options.fault { return .unavailable(reason: fault) }

    exchange.begin(content: mail.content)
    var code = perform(handle, onFreshConnection: false)
    if code != CURLE_OK && mayRepeat(handle) {
      exchange.restart()
      code = perform(handle, onFreshConnection: true)
    }
    if code == CURLE_OK { return .sent(detail: exchange.replyText) }
    return SMTPVerdict.failure(
      stage: exchange.stage, verb: exchange.lastVerb, replyCode: exchange.replyCode,
      replyText: exchange.replyText, error: words(for: code))
  }

  private func perform(_ handle: UnsafeMutableRawPointer, onFreshConnection isFresh: Bool) -> CURLcode {
    _ = tidings_curl_set_long(handle, CURLOPT_FRESH_CONNECT, isFresh ? 1 : 0)
    errorText.pointee = 0
    return curl_easy_perform(handle)
  }

  /// Whether the failed transaction ran over a connection from before, and ended by that connection's end.
  private func mayRepeat(_ handle: UnsafeMutableRawPointer) -> Bool {
    var connects = 0
    guard tidings_curl_get_long(handle, CURLINFO_NUM_CONNECTS, &connects) == CURLE_OK, connects == 0 else {
      return false
    }
    return exchange.stage != .content && (exchange.replyCode == nil || exchange.replyCode == 421)
  }

  private func words(for code: CURLcode) -> String {
    let detail = String(cString: errorText)
    return detail.isEmpty ? String(cString: curl_easy_strerror(code)) : detail
  }
}

extension SMTPSettings.Security {
  fileprivate var curlLevel: Int? {
    switch self {
    case .none, .implicitTLS: nil
    case .opportunistic: Int(CURLUSESSL_TRY.rawValue)
    case .startTLS: Int(CURLUSESSL_ALL.rawValue)
    }
  }
}

extension Duration {
  /// Whole milliseconds, at least 1: libcurl takes 0 as no limit.
  fileprivate var milliseconds: Int { max(1, Int(self / .milliseconds(1))) }

  /// Whole seconds that it fits into, at least 1.
  fileprivate var wholeSeconds: Int { max(1, Int((self / .seconds(1)).rounded(.up))) }
}

private func smtpRead(
  _ buffer: UnsafeMutablePointer<CChar>?, _ size: Int, _ count: Int, _ context: UnsafeMutableRawPointer?
) -> Int {
  guard let context, let buffer else { return 0 }
  let exchange = Unmanaged<SMTPExchange>.fromOpaque(context).takeUnretainedValue()
  return exchange.read(into: UnsafeMutableRawBufferPointer(start: buffer, count: size * count))
}

/// Takes what libcurl would write to standard output.
private func smtpDiscard(
  _ buffer: UnsafeMutablePointer<CChar>?, _ size: Int, _ count: Int, _ context: UnsafeMutableRawPointer?
) -> Int { size * count }

private func smtpListen(
  _ handle: UnsafeMutableRawPointer?, _ type: curl_infotype, _ data: UnsafeMutablePointer<CChar>?,
  _ size: Int, _ context: UnsafeMutableRawPointer?
) -> Int32 {
  guard let context, let data else { return 0 }
  let exchange = Unmanaged<SMTPExchange>.fromOpaque(context).takeUnretainedValue()
  let bytes = UnsafeRawBufferPointer(start: data, count: size)
  switch type {
  case CURLINFO_HEADER_OUT: exchange.sent(command: bytes)
  case CURLINFO_HEADER_IN: exchange.received(line: bytes)
  default: break
  }
  return 0
}
