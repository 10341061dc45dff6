import CCurl

/// Sets options on a handle and keeps the first that libcurl refuses.
struct CurlOptions {
  private let handle: UnsafeMutableRawPointer
  /// What was refused and why; nil while everything was taken.
  private(set) var fault: String?

  init(handle: UnsafeMutableRawPointer) { self.handle = handle }

  /// Sets a text; libcurl copies it.
  mutating func set(_ option: CURLoption, _ value: String) {
    note("option \(option.rawValue)", tidings_curl_set_string(handle, option, value))
  }

  /// Sets a number.
  mutating func set(_ option: CURLoption, _ value: Int) {
    note("option \(option.rawValue)", tidings_curl_set_long(handle, option, value))
  }

  /// Sets a pointer, which has to stay valid as long as the handle uses it.
  mutating func set(_ option: CURLoption, pointer: UnsafeMutableRawPointer) {
    note("option \(option.rawValue)", tidings_curl_set_pointer(handle, option, pointer))
  }

  /// Notes the answer to an option that was set by other means.
  mutating func note(_ name: String, _ code: CURLcode) {
    guard code != CURLE_OK, fault == nil else { return }
    fault = "libcurl refuses \(name): \(String(cString: curl_easy_strerror(code)))"
  }
}
