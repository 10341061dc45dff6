// The module MarkedYAML.
