import { expect, test } from 'vitest'
import { isBlank, textOf } from './change'

test('a value of a change is said in words', () => {
  expect(textOf(true)).toBe('Yes')
  expect(textOf(['A', 'B'])).toBe('A, B')
  expect(textOf(12)).toBe('12')
  for (const nothing of [null, undefined, '', []]) expect([isBlank(nothing), textOf(nothing)]).toEqual([true, 'blank'])
  expect(isBlank(false)).toBe(false)
})
