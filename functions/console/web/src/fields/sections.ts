import type { Field, Section } from './fields'

/** The fields of one section. */
export interface SectionFields extends Section {
  fields: Field[]
}

/**
 * Groups fields by section, in the order of the sections. No field is left out: those of a section that is not listed
 * come last, headed by its name, and those without a section come first, without a heading.
 */
export function groupBySection(fields: Field[], sections: Section[]): SectionFields[] {
  const unlisted = [...new Set(fields.map((f) => f.section))].filter((name) => !sections.some((s) => s.name === name))
  return [
    ...unlisted.filter((name) => name === '').map((name) => ({ name, label: '' })),
    ...sections,
    ...unlisted.filter((name) => name !== '').map((name) => ({ name, label: name })),
  ]
    .map((section) => ({ ...section, fields: fields.filter((f) => f.section === section.name) }))
    .filter((section) => section.fields.length > 0)
}
