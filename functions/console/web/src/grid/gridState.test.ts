import { describe, expect, it } from 'vitest'
import type { Field } from '../fields/fields'
import {
  defaultColumns,
  describeFilter,
  filterQuery,
  moveColumn,
  nextSort,
  parseColumns,
  replaceFilters,
} from './gridState'

const field = (name: string, kind: string, defaultGrid?: number): Field => ({
  name,
  label: name.toUpperCase(),
  section: '',
  kind,
  required: false,
  readOnly: false,
  defaultGrid,
})

describe('grid state', () => {
  it('starts with the columns of the service, in their order', () => {
    expect(
      defaultColumns([field('b', 'text', 2), field('none', 'text'), field('a', 'yesNo', 1)]).map((c) => c.field),
    ).toEqual(['a', 'b'])
  })
  it('sorts up, down, not at all', () => {
    expect(nextSort('', 'a')).toBe('a')
    expect(nextSort('a', 'a')).toBe('-a')
    expect(nextSort('-a', 'a')).toBe('')
    expect(nextSort('-b', 'a')).toBe('a')
  })
  it('replaces the filters of one field and leaves those of others', () => {
    expect(replaceFilters({ 'a.contains': 'x', ab: '1', 'b.empty': 'true' }, 'a', { a: 'y', 'a.empty': '' })).toEqual({
      ab: '1',
      'b.empty': 'true',
      a: 'y',
    })
  })
  it('says filters in words', () => {
    expect(describeFilter([field('a', 'code')], 'a', 'X;Y')).toBe('A is X or Y')
    expect(describeFilter([field('a', 'text')], 'a.empty', 'false')).toBe('A is not blank')
  })
  it('asks for codes with a semicolon at the end, as a code can contain commas', () => {
    const fields = [field('a', 'code'), field('b', 'text')]
    expect(filterQuery(fields, { a: 'Sales, London', 'a.empty': 'true', b: 'x' })).toEqual({
      a: 'Sales, London;',
      'a.empty': 'true',
      b: 'x',
    })
  })
  it('moves columns within bounds', () => {
    const columns = [{ field: 'a' }, { field: 'b' }, { field: 'c' }]
    expect(moveColumn(columns, 'c', -1).map((c) => c.field)).toEqual(['a', 'c', 'b'])
    expect(moveColumn(columns, 'a', -1)).toBe(columns)
  })
})

it('columns that a browser kept are read, and what is broken is not', () => {
  expect(parseColumns('[{"field":"name","width":210},{"field":"email","width":3},{"width":9}]')).toEqual([
    { field: 'name', width: 210 },
    { field: 'email' },
  ])
  for (const broken of [null, '', 'null', '{}', '[]', '[null]', '{"a":']) expect(parseColumns(broken)).toBeUndefined()
})
