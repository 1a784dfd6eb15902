import { NumberInput } from '@mantine/core'
import type { NumberInputProps } from '@mantine/core'

interface Props extends Omit<NumberInputProps, 'value' | 'onChange' | 'min' | 'max'> {
  value: number | string
  min?: number | undefined
  max?: number | undefined
  onChange: (value: number | '') => void
}

/** A whole number. What was typed stays as it is; out of bounds it is marked, and never changed. */
export function WholeNumberInput({ value, min, max, onChange, error, ...props }: Props) {
  return (
    <NumberInput
      {...props}
      allowDecimal={false}
      clampBehavior="none"
      value={value}
      min={min}
      max={max}
      onChange={(next) => onChange(next === '' || next === '-' ? '' : Number(next))}
      error={error ?? outOfBounds(value, min, max)}
    />
  )
}

/** What is wrong with a number, in words. */
export function outOfBounds(value: number | string, min?: number, max?: number): string | undefined {
  if (value === '' || !Number.isFinite(Number(value))) return undefined
  const tooLow = min !== undefined && Number(value) < min
  const tooHigh = max !== undefined && Number(value) > max
  if (!tooLow && !tooHigh) return undefined
  if (min !== undefined && max !== undefined) return `Enter a number from ${min} to ${max}.`
  return tooLow ? `Enter ${min} or more.` : `Enter ${max} or less.`
}
