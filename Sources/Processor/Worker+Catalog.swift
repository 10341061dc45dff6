import Policy

extension Worker {
  /// Decides by the newest catalog from here on. Called between two records; windows that are open keep the rules that
  /// they were opened with.
  func takeCatalog() {
    guard let newest = control.catalog(after: &catalogNumber) else { return }
    logger.info(
      "deciding by another catalog",
      metadata: ["version": "\(newest.versionText)", "former": "\(catalog.versionText)"])
    catalog = newest
    if !configuration.flaws.contains(.reloadPassedOver) {
      for home in homes.values { home.pipeline.catalog = newest }
      // A frozen one may come back.
      for home in frozen.values { home.pipeline.catalog = newest }
    }
    observer?.took(newest)
    publishStatus(force: true)
  }
}
