import Foundation

/// How many files and connections the process may have open.
enum FileDescriptors {
  /// Raises the soft limit to the hard one. The soft one, 1024 in most places, protects programs that use `select`, which
  /// nothing here does; followers of an inbox and connections to brokers may need more.
  static func raiseLimit() {
    var limit = rlimit()
    let resource = __rlimit_resource_t(RLIMIT_NOFILE.rawValue)
    guard getrlimit(resource, &limit) == 0, limit.rlim_cur < limit.rlim_max else { return }
    limit.rlim_cur = limit.rlim_max
    // Refused only where it needs no raising, such as by a sandbox: the limit then stays what it was.
    _ = setrlimit(resource, &limit)
  }
}
