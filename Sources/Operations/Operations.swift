// The module Operations.
