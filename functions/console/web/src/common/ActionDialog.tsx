import { Button, Group, Stack } from '@mantine/core'
import type { FormEvent, ReactNode } from 'react'
import { Dialog } from './Dialog'
import { ProblemAlert } from './ProblemAlert'

interface Props {
  title: string
  /** The label of the button that confirms. */
  confirmLabel: string
  danger?: boolean
  canConfirm?: boolean
  busy: boolean
  error: unknown
  /** Fields whose messages are shown at their inputs. */
  inlineFields?: string[]
  onClose: () => void
  onConfirm: () => void
  children: ReactNode
}

/** A dialog that confirms an action. */
export function ActionDialog({
  title,
  confirmLabel,
  danger,
  canConfirm = true,
  busy,
  error,
  inlineFields = [],
  onClose,
  onConfirm,
  children,
}: Props) {
  const submit = (event: FormEvent) => {
    event.preventDefault()
    event.stopPropagation() // the dialog may be inside another form
    if (canConfirm && !busy) onConfirm()
  }
  return (
    <Dialog onClose={onClose} title={title}>
      <form onSubmit={submit} noValidate>
        <Stack>
          {children}
          <ProblemAlert error={error} inlineFields={inlineFields} />
          <Group justify="flex-end">
            <Button variant="default" onClick={onClose}>
              Cancel
            </Button>
            <Button type="submit" color={danger ? 'red' : undefined} loading={busy} disabled={!canConfirm}>
              {confirmLabel}
            </Button>
          </Group>
        </Stack>
      </form>
    </Dialog>
  )
}
