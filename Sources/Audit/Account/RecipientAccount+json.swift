import Contract

extension RecipientAccount {
  /// The account for programs. Fields may be added.
  ///
  /// - Throws: what the encoder throws.
  public func json() throws -> String {
    try JSONDocument.text(self, as: .indented)
  }
}
