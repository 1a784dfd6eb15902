import { Textarea } from '@mantine/core'
import { useState } from 'react'
import type { Value } from './fields'
import { fromLines, toLines } from './named'

interface Props {
  label: string
  description?: string | undefined
  error?: string | undefined
  value: Value
  onChange: (value: Value) => void
}

/** Names and descriptions, one a line. What is typed stays as it is until it is saved. */
export function NamedInput({ value, onChange, description, ...common }: Props) {
  const [text, setText] = useState(toLines(value))
  return (
    <Textarea
      {...common}
      description={`${description ?? ''} One a line, as “name: description”.`}
      autosize
      minRows={3}
      maxRows={12}
      spellCheck={false}
      value={text}
      onChange={(e) => {
        setText(e.currentTarget.value)
        onChange(fromLines(e.currentTarget.value))
      }}
    />
  )
}
