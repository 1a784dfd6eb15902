import { useMutation } from '@tanstack/react-query'
import type { ReactNode } from 'react'
import { ActionDialog } from './ActionDialog'

interface Props<T> {
  title: string
  confirmLabel: string
  danger?: boolean
  children: ReactNode
  onClose: () => void
  action: () => Promise<T>
  onSuccess: (answer: T) => void
}

/** Confirms an action and carries it out. */
export function ConfirmDialog<T>({ title, confirmLabel, danger, children, onClose, action, onSuccess }: Props<T>) {
  const send = useMutation({ mutationFn: action, onSuccess, gcTime: 0 })
  return (
    <ActionDialog
      title={title}
      confirmLabel={confirmLabel}
      danger={danger ?? false}
      busy={send.isPending}
      error={send.error}
      onClose={onClose}
      onConfirm={() => send.mutate()}
    >
      {children}
    </ActionDialog>
  )
}
