import { TextInput } from '@mantine/core'

interface Props {
  label?: string
  description?: string
  value: string
  onChange: (value: string) => void
  error?: string | undefined
}

/** A one-time code. It is one input, so that a code can be pasted and is read out as a whole. */
export function CodeInput({
  label = 'Code',
  description = 'The six-digit code from your authenticator app.',
  value,
  onChange,
  error,
}: Props) {
  return (
    <TextInput
      label={label}
      description={description}
      name="code"
      autoComplete="one-time-code"
      inputMode="numeric"
      maxLength={8}
      autoFocus
      data-autofocus
      value={value}
      onChange={(e) => onChange(e.currentTarget.value.replace(/[^0-9 ]/g, ''))}
      error={error}
      size="md"
    />
  )
}

/** The code without spaces, as the API takes it. */
export const normaliseCode = (code: string) => code.replace(/\s/g, '')
