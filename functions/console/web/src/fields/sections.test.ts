import { expect, test } from 'vitest'
import type { Field } from './fields'
import { groupBySection } from './sections'

const field = (name: string, section: string): Field => ({
  name,
  label: name,
  section,
  kind: 'text',
  required: false,
  readOnly: false,
})
const shape = (fields: Field[], sections: { name: string; label: string; tab?: string }[]) =>
  groupBySection(fields, sections).map((s) => [s.label, ...s.fields.map((f) => f.name)])

test('fields are grouped in the order of the sections, under their labels', () => {
  const fields = [field('mobile', 'contact'), field('username', 'user'), field('name', 'user')]
  const sections = [
    { name: 'user', label: 'User' },
    { name: 'contact', label: 'Contact' },
    { name: 'empty', label: 'Without fields' },
  ]
  expect(shape(fields, sections)).toEqual([
    ['User', 'username', 'name'],
    ['Contact', 'mobile'],
  ])
})

test('no field vanishes, whatever section it names', () => {
  const fields = [field('a', 'unlisted'), field('b', ''), field('c', 'user')]
  expect(shape(fields, [{ name: 'user', label: 'User' }])).toEqual([
    ['', 'b'],
    ['User', 'c'],
    ['unlisted', 'a'],
  ])
  expect(shape(fields, [])).toEqual([
    ['', 'b'],
    ['unlisted', 'a'],
    ['user', 'c'],
  ])
})
