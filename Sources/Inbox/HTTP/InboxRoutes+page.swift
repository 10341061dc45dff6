import HTTPTypes
import Hummingbird

extension InboxRoutes {
  /// The page at `/` and its parts, compiled into the program so that it runs from anywhere.
  func addPage(to router: Router<BasicRequestContext>) {
    add("/", PackageResources.page_html, "text/html; charset=utf-8", to: router)
    add("/page.js", PackageResources.page_js, "text/javascript; charset=utf-8", to: router)
    add("/page.css", PackageResources.page_css, "text/css; charset=utf-8", to: router)
    add("/tidings-inbox.js", PackageResources.tidings_inbox_js, "text/javascript; charset=utf-8", to: router)
    add("/favicon.ico", PackageResources.bell_svg, "image/svg+xml", to: router)
  }

  /// Nothing but our own files, and no way to frame the page.
  private static let policy = """
    default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; \
    base-uri 'none'; form-action 'none'; frame-ancestors 'none'
    """

  private func add(
    _ path: RouterPath, _ bytes: [UInt8], _ type: String, to router: Router<BasicRequestContext>
  ) {
    var headers: HTTPFields = [
      .contentType: type, .contentSecurityPolicy: Self.policy, .cacheControl: "no-cache",
      .xContentTypeOptions: "nosniff",
    ]
    if let referrer = HTTPField.Name("Referrer-Policy") { headers[referrer] = "no-referrer" }
    let response = Response(
      status: .ok, headers: headers, body: ResponseBody(byteBuffer: ByteBuffer(bytes: bytes)))
    router.get(path) { _, _ in response }
  }
}
