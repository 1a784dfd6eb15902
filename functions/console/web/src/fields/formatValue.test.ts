import { expect, test } from 'vitest'
import { isBlank, formatValue } from './formatValue'

test('a value of a change is said in words', () => {
  expect(formatValue(true)).toBe('Yes')
  expect(formatValue(['A', 'B'])).toBe('A, B')
  expect(formatValue(12)).toBe('12')
  expect(formatValue('2026-01-31T08:15:02.123Z')).toBe('2026-01-31 08:15 UTC')
  expect(formatValue('2026-01-31T08:15')).toBe('2026-01-31T08:15')
  for (const nothing of [null, undefined, '', []])
    expect([isBlank(nothing), formatValue(nothing)]).toEqual([true, 'blank'])
  expect(isBlank(false)).toBe(false)
})
