import Foundation
import MarkedYAML

/// Finds the files of a catalog: one file, or a folder in which each team has its own.
enum CatalogFiles {
  private static let countMax = 1_000

  /// The documents of a path, in the order of their names.
  ///
  /// Of a folder these are the files right in it whose names end with `.yaml`. Names that begin with a dot are passed
  /// over: a mounted ConfigMap keeps its versions in such folders.
  ///
  /// - Throws: `YAMLProblems`: every file that cannot be read or is no YAML, and every one that would be left out though
  ///   it looks as if it belonged to the catalog.
  static func documents(at path: String) throws(YAMLProblems) -> [YAMLDocument] {
    var isFolder: ObjCBool = false
    guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder), isFolder.boolValue else {
      return [try YAMLDocument(contentsOf: path)]
    }
    var problems: [YAMLProblem] = []
    var documents: [YAMLDocument] = []
    for file in try files(in: path, &problems) {
      do throws(YAMLProblems) {
        documents.append(try YAMLDocument(contentsOf: file))
      } catch {
        problems += error.problems
      }
    }
    guard problems.isEmpty else {
      // What can be read is read for its mistakes, so that all of them are told at once.
      _ = CatalogDefinition(reading: documents, areAll: false)
      throw YAMLProblems(problems + documents.flatMap(\.problems))
    }
    return documents
  }

  private static func files(
    in folder: String, _ problems: inout [YAMLProblem]
  ) throws(YAMLProblems) -> [String] {
    func problem(_ file: String, _ message: String) -> YAMLProblem {
      YAMLProblem(file: file, line: 1, column: 1, message: message)
    }
    let names: [String]
    do {
      names = try FileManager.default.contentsOfDirectory(atPath: folder).sorted()
    } catch {
      throw YAMLProblems([problem(folder, "cannot be read: \(error.localizedDescription)")])
    }
    let base = folder.hasSuffix("/") ? folder : folder + "/"
    var files: [String] = []
    for name in names where !name.hasPrefix(".") {
      let path = base + name
      if isFolder(path) {
        if holdsCatalogs(path) {
          problems.append(
            problem(path, "is a folder in the catalog's folder and is not read; move its files up"))
        }
      } else if name.hasSuffix(".yaml") {
        files.append(path)
      } else if name.lowercased().hasSuffix(".yml") || name.lowercased().hasSuffix(".yaml") {
        problems.append(
          problem(path, "is not read: the names of a catalog's files end with .yaml; rename it"))
      }
    }
    guard !files.isEmpty || !problems.isEmpty else {
      throw YAMLProblems([problem(folder, "is a folder without a catalog: no name in it ends with .yaml")])
    }
    guard files.count <= countMax else {
      throw YAMLProblems([problem(folder, "holds \(files.count) files; a catalog may have \(countMax)")])
    }
    return files
  }

  private static func isFolder(_ path: String) -> Bool {
    var isFolder: ObjCBool = false
    return FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) && isFolder.boolValue
  }

  private static func holdsCatalogs(_ folder: String) -> Bool {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
    return names.contains { $0.hasSuffix(".yaml") || $0.hasSuffix(".yml") }
  }
}
