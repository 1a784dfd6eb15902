// Finds import cycles, also those by type-only and dynamic imports.
import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import ts from 'typescript'

/** The modules of a folder, each with those of the folder that it imports: { 'a.ts': ['b.ts'] }. */
export function importGraph(folder) {
  const files = readdirSync(folder, { recursive: true })
    .filter((name) => /\.tsx?$/.test(name) && !name.endsWith('.d.ts'))
    .sort()
  const known = new Map(files.map((name) => [join(folder, name), name]))
  return new Map(
    files.map((name) => {
      const { importedFiles } = ts.preProcessFile(readFileSync(join(folder, name), 'utf8'))
      const imported = importedFiles
        .filter(({ fileName }) => fileName.startsWith('.'))
        .map(({ fileName }) => resolve(folder, dirname(name), fileName))
        .flatMap(
          (path) =>
            ['', '.ts', '.tsx', '/index.ts', '/index.tsx'].map((end) => known.get(path + end)).find(Boolean) ?? [],
        )
      return [name, [...new Set(imported)]]
    }),
  )
}

/** The cycles of a graph, each as a path; one for each import that closes a cycle. */
export function importCycles(graph) {
  const cycles = []
  const finished = new Set()
  const visit = (name, path) => {
    if (path.includes(name)) return void cycles.push([...path.slice(path.indexOf(name)), name])
    if (finished.has(name)) return
    for (const next of graph.get(name) ?? []) visit(next, [...path, name])
    finished.add(name)
  }
  for (const name of graph.keys()) visit(name, [])
  return cycles
}
