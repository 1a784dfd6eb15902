import { Fieldset, Stack } from '@mantine/core'
import type { ReactNode } from 'react'
import type { Problem } from '../api/problem'
import classes from './FieldForm.module.css'
import { FieldInput } from './FieldInput'
import type { Field, Section, Value } from './fields'
import { FieldValue } from './FieldValue'
import { isBlank } from './formatValue'
import { PermissionPicker } from './PermissionPicker'
import { ResourceInput } from './ResourceInput'
import { groupBySection } from './sections'

interface Props {
  fields: Field[]
  sections?: Section[]
  valueOf: (field: Field) => Value
  onChange: (field: Field, value: Value) => void
  problem?: Problem | undefined
}

/** Inputs for fields, grouped in their sections. */
export function FieldForm({ fields, sections = [], valueOf, onChange, problem }: Props) {
  const groups = groupBySection(fields, sections)
  return (
    <Stack>
      {groups.map((group) => (
        <Group key={group.name} label={groups.length > 1 ? group.label : ''}>
          {group.fields.map((f) => (
            <Input
              key={f.name}
              field={f}
              value={valueOf(f)}
              onChange={(v) => onChange(f, v)}
              error={problem?.messageFor(f.name)}
            />
          ))}
        </Group>
      ))}
    </Stack>
  )
}

function Group({ label, children }: { label: string; children: ReactNode }) {
  const inputs = <Stack gap="sm">{children}</Stack>
  return label ? <Fieldset legend={label}>{inputs}</Fieldset> : inputs
}

function Input(props: { field: Field; value: Value; onChange: (value: Value) => void; error?: string | undefined }) {
  if (props.field.refers === 'permission') return <PermissionPicker {...props} />
  if (props.field.refers === 'resource') return <ResourceInput {...props} />
  return <FieldInput {...props} />
}

/** The same fields, read-only. */
export function FieldDetails({
  fields,
  valueOf,
  blankTexts = {},
}: {
  fields: Field[]
  valueOf: (field: Field) => Value
  /** What a blank value means, by the field's name. */
  blankTexts?: Record<string, string>
}) {
  return (
    <dl className={classes.facts}>
      {fields.map((f) => [
        <dt key={f.name}>
          {f.label}
          {f.help && <span className={classes.help}>{f.help}</span>}
        </dt>,
        <dd key={`${f.name} value`}>
          {isBlank(valueOf(f)) && blankTexts[f.name] ? blankTexts[f.name] : <FieldValue field={f} value={valueOf(f)} />}
        </dd>,
      ])}
    </dl>
  )
}
