import MarkedYAML

extension CadenceChoices {
  /// Reads the value of a `choices` key: a list of cadences, `[]` for none. What is wrong is reported to the document,
  /// and nil returned.
  init?(reading value: YAMLValue) {
    var choices: CadenceChoices = []
    for element in value.elementsOrSelf() {
      guard let cadence = element.choice(named: \Cadence.name) else { return nil }
      if choices.contains(cadence) { element.report("is given more than once; keep one of them") }
      choices.insert(CadenceChoices([cadence]))
    }
    self = choices
  }
}
