import { expect, test } from 'vitest'
import { doneOf, lasting, optionsOf, pause } from './job'
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
  expect(pause(0)).toBe(700)
  expect(pause(5)).toBeGreaterThan(pause(4))
  expect(pause(100)).toBe(10_000)
})

test('an import is half done when its rows are checked, a dry run whole', () => {
  expect(doneOf(job({}))).toBe(25)
  expect(doneOf(job({ dryRun: true }))).toBe(50)
  expect(doneOf(job({ state: 'done' }))).toBe(100)
  expect(doneOf(job({ progress: { total: 0, checked: 0, written: 0 } }))).toBeUndefined()
})

test('lengths of time are said as people say them', () => {
  expect(lasting(12)).toBe('< 1 s')
  expect(lasting(61_000)).toBe('1 min 1 s')
})

test('an import begun again has the options of the one before', () => {
  expect(optionsOf(job({ skipErrors: true, resourceGroup: 'STAFF', dryRun: true }))).toBe(
    'dateFormat=british&skipErrors=true&dryRun=true&resourceGroup=STAFF',
  )
})
