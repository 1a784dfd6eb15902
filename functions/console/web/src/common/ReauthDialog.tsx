import { PasswordInput } from '@mantine/core'
import { useMutation } from '@tanstack/react-query'
import { useState } from 'react'
import type { ReactNode } from 'react'
import { toProblem } from '../api/problem'
import { ActionDialog } from './ActionDialog'

interface Props<T> {
  title: string
  confirmLabel: string
  danger?: boolean
  children: ReactNode
  onClose: () => void
  /** Carries out the action; with the password if the API asked for it. */
  action: (proof: { password?: string }) => Promise<T>
  onSuccess: (answer: T) => void
}

/** Confirms an action that needs a recent sign-in: it asks for the password if the API says so. */
export function ReauthDialog<T>({ title, confirmLabel, danger, children, onClose, action, onSuccess }: Props<T>) {
  const [password, setPassword] = useState('')
  const [passwordRequired, setPasswordRequired] = useState(false)
  const send = useMutation({
    mutationFn: () => action(passwordRequired ? { password } : {}),
    onSuccess,
    onError: (error) => {
      if (toProblem(error).code === 'proofNeeded') setPasswordRequired(true)
      setPassword('')
    },
    gcTime: 0,
  })
  const problem = send.error ? toProblem(send.error) : undefined
  return (
    <ActionDialog
      title={title}
      confirmLabel={confirmLabel}
      danger={danger ?? false}
      canConfirm={!passwordRequired || password !== ''}
      busy={send.isPending}
      inlineFields={['password']}
      error={problem && (problem.code === 'proofNeeded' || problem.messageFor('password')) ? undefined : send.error}
      onClose={onClose}
      onConfirm={() => send.mutate()}
    >
      {children}
      {passwordRequired && (
        <PasswordInput
          label="Your password"
          description="You signed in a while ago. Enter your password to confirm that it is you."
          name="password"
          autoComplete="current-password"
          autoFocus
          data-autofocus
          maxLength={1000}
          value={password}
          onChange={(e) => setPassword(e.currentTarget.value)}
          error={problem?.messageFor('password')}
          visibilityToggleButtonProps={{ 'aria-label': 'Show the password', tabIndex: 0 }}
        />
      )}
    </ActionDialog>
  )
}
