/// Input that cannot be read, and why: the file and the system's words.
struct InputError: Error, CustomStringConvertible {
  let description: String

  init(_ description: String) { self.description = description }
}
