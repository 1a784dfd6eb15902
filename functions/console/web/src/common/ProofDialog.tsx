import { PasswordInput } from '@mantine/core'
import { useMutation } from '@tanstack/react-query'
import { useState } from 'react'
import type { ReactNode } from 'react'
import { asProblem } from '../api/problem'
import { ActionDialog } from './ActionDialog'

interface Props<T> {
  title: string
  apply: string
  danger?: boolean
  children: ReactNode
  close: () => void
  /** Does it; the password only where it was asked for. */
  act: (proof: { password?: string }) => Promise<T>
  done: (answer: T) => void
}

/** A dialog before something that wants fresh proof of who one is: it asks for the password where signing in was a while ago. */
export function ProofDialog<T>({ title, apply, danger, children, close, act, done }: Props<T>) {
  const [password, setPassword] = useState('')
  const [wanted, setWanted] = useState(false)
  const send = useMutation({
    mutationFn: () => act(wanted ? { password } : {}),
    onSuccess: done,
    onError: (error) => {
      if (asProblem(error).code === 'proofNeeded') setWanted(true)
      setPassword('')
    },
    gcTime: 0,
  })
  const problem = send.error ? asProblem(send.error) : undefined
  return (
    <ActionDialog
      title={title}
      apply={apply}
      danger={danger ?? false}
      ready={!wanted || password !== ''}
      busy={send.isPending}
      shown={['password']}
      error={problem && (problem.code === 'proofNeeded' || problem.of('password')) ? undefined : send.error}
      close={close}
      onApply={() => send.mutate()}
    >
      {children}
      {wanted && (
        <PasswordInput
          label="Your password"
          description="You signed in a while ago: show once more that it is you."
          name="password"
          autoComplete="current-password"
          autoFocus
          data-autofocus
          maxLength={1000}
          value={password}
          onChange={(e) => setPassword(e.currentTarget.value)}
          error={problem?.of('password')}
          visibilityToggleButtonProps={{ 'aria-label': 'Show the password', tabIndex: 0 }}
        />
      )}
    </ActionDialog>
  )
}
