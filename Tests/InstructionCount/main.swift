import Benchmarks
import Foundation

// Puts so many events through the state machines, while valgrind counts what that takes (.ci/count-instructions).
guard CommandLine.arguments.count == 2, let events = Int(CommandLine.arguments[1]), events > 0 else {
  FileHandle.standardError.write(Data("usage: InstructionCount EVENTS\n".utf8))
  exit(2)
}
let allocations = try CountedLoad.run(events: events)
print("allocations \(allocations.map(String.init) ?? "unknown")")
