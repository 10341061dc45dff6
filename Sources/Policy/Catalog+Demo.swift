import MarkedYAML

extension Catalog {
  /// The catalog of `tidings demo`: every event is in the inbox at once, and in a mail after a few seconds together
  /// with what else came, so that digests are seen without waiting.
  ///
  /// - Throws: `YAMLProblems` if `demoYAML` is not a catalog.
  public static func demo() throws(YAMLProblems) -> Catalog {
    try parse(yaml: demoYAML, file: "the demo's catalog")
  }

  /// The text of the demo's catalog.
  public static let demoYAML = """
    unknownTypes: deliver
    defaults:
      category: general
      title: "{{type}}{{#subject}}: {{subject}}{{/subject}}"
      digestTitle: "{{totals.events}} notifications"
      channels:
        inapp: { policy: immediate }
        email: { policy: digest, window: 3s, items: 10 }
    types:
      git.commit.pushed:
        category: commits
        title: "{{actor}}: {{data.title}}"
        link: "{{data.url}}"
        digestTitle: "{{totals.events}} commits by {{totals.actors}} people"
        # A commit names its author as a recipient only where it concerns nobody else.
        ownAction: deliver
        channels:
          inapp: { policy: immediate }
          email: { policy: digest, window: 4s, items: 10 }
    """
}
