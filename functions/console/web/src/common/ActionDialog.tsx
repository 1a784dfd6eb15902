import { Button, Group, Stack } from '@mantine/core'
import type { FormEvent, ReactNode } from 'react'
import { Dialog } from './Dialog'
import { ProblemAlert } from './ProblemAlert'

interface Props {
  title: string
  /** The button that does it. */
  apply: string
  danger?: boolean
  ready?: boolean
  busy: boolean
  error: unknown
  /** Fields whose problems are shown on their inputs. */
  shown?: string[]
  close: () => void
  onApply: () => void
  children: ReactNode
}

/** A dialog that asks before something is done. */
export function ActionDialog({
  title,
  apply,
  danger,
  ready = true,
  busy,
  error,
  shown = [],
  close,
  onApply,
  children,
}: Props) {
  const submit = (event: FormEvent) => {
    event.preventDefault()
    event.stopPropagation() // the dialog may stand within another form
    if (ready && !busy) onApply()
  }
  return (
    <Dialog onClose={close} title={title}>
      <form onSubmit={submit} noValidate>
        <Stack>
          {children}
          <ProblemAlert error={error} shown={shown} />
          <Group justify="flex-end">
            <Button variant="default" onClick={close}>
              Cancel
            </Button>
            <Button type="submit" color={danger ? 'red' : undefined} loading={busy} disabled={!ready}>
              {apply}
            </Button>
          </Group>
        </Stack>
      </form>
    </Dialog>
  )
}
