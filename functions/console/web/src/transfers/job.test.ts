import { expect, test } from 'vitest'
import { percentDone, formatDuration, importOptionsQuery, pollInterval } from './job'
import type { Job } from './job'

const job = (over: Partial<Job>): Job => ({
  id: '01JZ',
  kind: 'import',
  state: 'checking',
  skipErrors: false,
  dateFormat: 'british',
  queue: false,
  by: 'admin',
  created: '2026-01-01T00:00:00Z',
  sheet: false,
  counts: { rows: 0, created: 0, updated: 0, unchanged: 0, skipped: 0, failed: 0 },
  progress: { total: 100, checked: 50, written: 0 },
  ...over,
})

test('looks grow apart, and no further than ten seconds', () => {
  expect(pollInterval(0)).toBe(700)
  expect(pollInterval(5)).toBeGreaterThan(pollInterval(4))
  expect(pollInterval(100)).toBe(10_000)
})

test('an import is half done when its rows are checked, a dry run whole', () => {
  expect(percentDone(job({}))).toBe(25)
  expect(percentDone(job({ dryRun: true }))).toBe(50)
  expect(percentDone(job({ state: 'done' }))).toBe(100)
  expect(percentDone(job({ progress: { total: 0, checked: 0, written: 0 } }))).toBeUndefined()
})

test('lengths of time are said as people say them', () => {
  expect(formatDuration(12)).toBe('< 1 s')
  expect(formatDuration(61_000)).toBe('1 min 1 s')
})

test('an import begun again has the options of the one before', () => {
  expect(importOptionsQuery(job({ skipErrors: true, resourceGroup: 'STAFF', dryRun: true }))).toBe(
    'dateFormat=british&skipErrors=true&dryRun=true&resourceGroup=STAFF',
  )
})
