import { Button, Divider, PasswordInput, Text } from '@mantine/core'
import { IconFingerprint } from '@tabler/icons-react'
import { useMutation } from '@tanstack/react-query'
import { useEffect, useState } from 'react'
import { api, unwrap } from '../api/client'
import { toProblem } from '../api/problem'
import { onProofNeeded } from '../api/transport'
import { getPasskeyAssertion, passkeysSupported } from '../passkeys/passkey'
import { ActionDialog } from './ActionDialog'

type Answer = (confirmed: boolean) => void

/** Asks who the user is, wherever the API wants a fresh proof. The request that was refused is then sent again. */
export function ProofDialog() {
  const [answer, setAnswer] = useState<Answer>()
  useEffect(() => onProofNeeded(() => new Promise<boolean>((resolve) => setAnswer(() => resolve))), [])
  if (!answer) return null
  return (
    <Proof
      onAnswer={(confirmed) => {
        setAnswer(undefined)
        answer(confirmed)
      }}
    />
  )
}

function Proof({ onAnswer }: { onAnswer: Answer }) {
  const [password, setPassword] = useState('')
  const prove = useMutation({
    mutationFn: async (by: 'password' | 'passkey') => {
      if (by === 'password') return unwrap(api.POST('/api/me/proof', { body: { password } }))
      const { publicKey } = await unwrap(api.POST('/api/login/passkey/begin', { body: {} }))
      return unwrap(api.POST('/api/me/proof', { body: { credential: await getPasskeyAssertion(publicKey) } }))
    },
    onSuccess: () => onAnswer(true),
    onError: () => setPassword(''),
    gcTime: 0,
  })
  const wrong = prove.error ? toProblem(prove.error).messageFor('password') : undefined
  return (
    <ActionDialog
      title="Confirm that it is you"
      confirmLabel="Confirm"
      canConfirm={password !== ''}
      busy={prove.isPending}
      inlineFields={['password']}
      error={wrong ? undefined : prove.error}
      onClose={() => onAnswer(false)}
      onConfirm={() => prove.mutate('password')}
    >
      <Text size="sm">
        You signed in a while ago. Confirm that it is you to go on; nothing that you entered is lost.
      </Text>
      <PasswordInput
        label="Your password"
        name="password"
        autoComplete="current-password"
        autoFocus
        data-autofocus
        maxLength={1000}
        value={password}
        onChange={(e) => setPassword(e.currentTarget.value)}
        error={wrong}
        visibilityToggleButtonProps={{ 'aria-label': 'Show the password', tabIndex: 0 }}
      />
      {passkeysSupported() && (
        <>
          <Divider label="or" />
          <Button variant="default" leftSection={<IconFingerprint size={16} />} onClick={() => prove.mutate('passkey')}>
            Use a passkey
          </Button>
        </>
      )}
    </ActionDialog>
  )
}
