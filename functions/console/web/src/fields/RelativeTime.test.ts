import { expect, test } from 'vitest'
import { relativeTime } from './RelativeTime'

test('how long ago, in words', () => {
  const now = Date.parse('2026-03-10T12:00:00Z')
  expect(relativeTime('2026-03-10T11:59:30Z', now)).toBe('just now')
  expect(relativeTime('2026-03-10T11:00:00Z', now)).toBe('1 hour ago')
  expect(relativeTime('2026-03-09T11:00:00Z', now)).toBe('yesterday')
  expect(relativeTime('2026-02-10T12:00:00Z', now)).toBe('4 weeks ago')
  expect(relativeTime('2026-03-12T12:00:00Z', now)).toBe('in 2 days')
})
