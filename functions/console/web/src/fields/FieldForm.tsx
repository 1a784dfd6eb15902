import { Fieldset, Stack } from '@mantine/core'
import type { ReactNode } from 'react'
import type { Problem } from '../api/problem'
import classes from './FieldForm.module.css'
import { FieldInput } from './FieldInput'
import type { Field, Value } from './fields'
import { FieldValue } from './FieldValue'
import { PermissionPicker } from './PermissionPicker'
import { ResourceInput } from './ResourceInput'

/** Sections that the service names, in words; one without is not headed. */
const sections: Record<string, string> = {
  password: 'Passwords',
  signIn: 'Signing in',
  mfa: 'Multi-factor',
  mail: 'Mail',
  region: 'Region and access control',
  log: 'Log',
  resource: 'Resource',
  person: 'Person',
  payment: 'Payment',
  status: 'Status',
  defaults: 'Given to new resources',
}

interface Props {
  fields: Field[]
  valueOf: (field: Field) => Value
  onChange: (field: Field, value: Value) => void
  problem?: Problem | undefined
}

/** Inputs for fields, grouped in their sections. */
export function FieldForm({ fields, valueOf, onChange, problem }: Props) {
  const names = [...new Set(fields.map((f) => f.section))]
  return (
    <Stack>
      {names.map((name) => (
        <Section key={name} name={name} many={names.length > 1}>
          {fields
            .filter((f) => f.section === name)
            .map((f) => (
              <Input
                key={f.name}
                field={f}
                value={valueOf(f)}
                onChange={(v) => onChange(f, v)}
                error={problem?.messageFor(f.name)}
              />
            ))}
        </Section>
      ))}
    </Stack>
  )
}

function Section({ name, many, children }: { name: string; many: boolean; children: ReactNode }) {
  const label = sections[name]
  return many && label ? (
    <Fieldset legend={label}>
      <Stack gap="sm">{children}</Stack>
    </Fieldset>
  ) : (
    <Stack gap="sm">{children}</Stack>
  )
}

function Input(props: { field: Field; value: Value; onChange: (value: Value) => void; error?: string | undefined }) {
  if (props.field.refers === 'permission') return <PermissionPicker {...props} />
  if (props.field.refers === 'resource') return <ResourceInput {...props} />
  return <FieldInput {...props} />
}

/** The same fields, read-only. */
export function FieldDetails({ fields, valueOf }: { fields: Field[]; valueOf: (field: Field) => Value }) {
  return (
    <dl className={classes.facts}>
      {fields.map((f) => [
        <dt key={f.name} title={f.help}>
          {f.label}
        </dt>,
        <dd key={`${f.name} value`}>
          <FieldValue field={f} value={valueOf(f)} />
        </dd>,
      ])}
    </dl>
  )
}

export const sectionLabel = (name: string) => sections[name] ?? name
