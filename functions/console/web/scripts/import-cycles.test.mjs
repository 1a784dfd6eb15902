import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { importCycles, importGraph } from './import-cycles.mjs'

/** The cycles of modules with these texts. */
function cyclesOf(modules) {
  const folder = mkdtempSync(join(tmpdir(), 'import-cycles-'))
  try {
    for (const [name, text] of Object.entries(modules)) {
      mkdirSync(dirname(join(folder, name)), { recursive: true })
      writeFileSync(join(folder, name), text)
    }
    return importCycles(importGraph(folder)).map((cycle) => cycle.join(' > '))
  } finally {
    rmSync(folder, { recursive: true })
  }
}

test('an import cycle is found, also by type-only imports, index files and dynamic imports', () => {
  expect(cyclesOf({ 'a.ts': "import { b } from './b'", 'b.ts': "import type { A } from './a'" })).toEqual([
    'a.ts > b.ts > a.ts',
  ])
  expect(
    cyclesOf({
      'tabs/index.ts': "export const tabs = [lazy(() => import('./One'))]",
      'tabs/One.tsx': "import type { TabProps } from '.'",
    }),
  ).toEqual(['tabs/One.tsx > tabs/index.ts > tabs/One.tsx'])
  expect(cyclesOf({ 'a.ts': "export * from './a'" })).toEqual(['a.ts > a.ts'])
})

test('a module that is imported twice is no cycle', () => {
  expect(
    cyclesOf({
      'a.ts': "import './b'\nimport './c'\nimport 'react'",
      'b.ts': "import { d } from './d'",
      'c.ts': "export { d } from './d'",
      'd.ts': 'export const d = 1',
    }),
  ).toEqual([])
})

test('the modules of the console have no import cycle', () => {
  const graph = importGraph(join(dirname(dirname(fileURLToPath(import.meta.url))), 'src'))
  expect(graph.size).toBeGreaterThan(100)
  expect(graph.get('main.tsx')).toContain('router.tsx')
  expect(importCycles(graph).map((cycle) => cycle.join(' > '))).toEqual([])
})
