import { Checkbox, MultiSelect, Select, TagsInput, TextInput } from '@mantine/core'
import { codeLabel, toText, useCodeOptions } from './fields'
import type { Field, Value } from './fields'
import { countries, currencies } from './isoCodes'
import { NamedInput } from './NamedInput'
import { WholeNumberInput } from './WholeNumberInput'

interface Props {
  field: Field
  value: Value
  onChange: (value: Value) => void
  error?: string | undefined
  autoFocus?: boolean
}

/** The input for a field of any kind. */
export function FieldInput({ field, value, onChange, error, autoFocus }: Props) {
  const codes = useCodeOptions(field.refers)
  const common = {
    label: field.label,
    description: field.help,
    error,
    withAsterisk: field.required,
    'data-autofocus': autoFocus || undefined,
    autoFocus,
  }
  const optionsFor = (selected: string[]) =>
    (codes ?? [])
      .filter((c) => c.active || selected.includes(c.code))
      .map((c) => ({ value: c.code, label: codeLabel(c, field.refers) }))
  switch (field.kind) {
    case 'yesNo':
      return (
        <Checkbox
          label={field.label}
          description={field.help}
          error={error}
          checked={value === true}
          onChange={(e) => onChange(e.currentTarget.checked)}
        />
      )
    case 'number':
      return (
        <WholeNumberInput
          {...common}
          value={typeof value === 'number' ? value : ''}
          min={field.min}
          max={field.max}
          onChange={(next) => onChange(next === '' ? null : next)}
        />
      )
    case 'date':
      return (
        <TextInput
          {...common}
          type="date"
          value={toText(value)}
          onChange={(e) => onChange(e.currentTarget.value || null)}
        />
      )
    case 'codes': {
      const have = Array.isArray(value) ? value : []
      return codes ? (
        <MultiSelect
          {...common}
          searchable
          clearable
          data={optionsFor(have)}
          value={have}
          onChange={onChange}
          maxValues={field.max}
        />
      ) : (
        <TagsInput {...common} value={have} onChange={onChange} maxTags={field.max} />
      )
    }
    case 'choice':
      return (
        <Select
          {...common}
          data={field.choices ?? []}
          value={toText(value) || null}
          onChange={(next) => onChange(next)}
        />
      )
    case 'texts':
      return (
        <TagsInput
          {...common}
          placeholder="Type an entry and press Enter"
          acceptValueOnBlur
          value={Array.isArray(value) ? value : []}
          onChange={onChange}
          maxTags={field.max}
        />
      )
    case 'named':
      return <NamedInput {...common} value={value} onChange={onChange} />
    case 'country':
    case 'currency': {
      const codesOfKind = field.kind === 'country' ? countries() : currencies()
      const have = toText(value)
      const data =
        have && !codesOfKind.some((o) => o.value === have)
          ? [{ value: have, label: have }, ...codesOfKind]
          : codesOfKind
      return (
        <Select
          {...common}
          searchable
          clearable={!field.required}
          data={data}
          value={have || null}
          onChange={(next) => onChange(next)}
        />
      )
    }
    case 'code':
      if (codes) {
        return (
          <Select
            {...common}
            searchable
            clearable={!field.required}
            data={optionsFor([toText(value)])}
            value={toText(value) || null}
            onChange={(next) => onChange(next)}
          />
        )
      }
  }
  return (
    <TextInput
      {...common}
      type={field.kind === 'email' ? 'email' : field.kind === 'phone' ? 'tel' : 'text'}
      autoComplete="off"
      maxLength={field.max || undefined}
      value={toText(value)}
      onChange={(e) => onChange(e.currentTarget.value)}
    />
  )
}
