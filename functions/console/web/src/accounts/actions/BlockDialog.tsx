import { Text, TextInput } from '@mantine/core'
import { useMutation } from '@tanstack/react-query'
import { useState } from 'react'
import { api, ask } from '../../api/client'
import { asProblem } from '../../api/problem'
import { ActionDialog } from '../../common/ActionDialog'
import { nameOf, refreshed } from '../account'
import type { DialogProps } from './dialog'

export default function BlockDialog({ account, close }: DialogProps) {
  const [reason, setReason] = useState('')
  const block = useMutation({
    mutationFn: () =>
      ask(api.POST('/api/accounts/{id}/block', { params: { path: { id: account.id } }, body: { reason } })),
    onSuccess: (changed) => {
      refreshed(account.id, changed)
      close()
    },
  })
  return (
    <ActionDialog
      title="Block login access"
      apply="Apply"
      danger
      ready={reason.trim() !== ''}
      busy={block.isPending}
      error={block.error}
      shown={['reason']}
      close={close}
      onApply={() => block.mutate()}
    >
      <Text size="sm">
        {nameOf(account)} cannot sign in any more, and every open session is over at its next request.
      </Text>
      <TextInput
        label="Reason"
        required
        data-autofocus
        maxLength={200}
        value={reason}
        onChange={(e) => setReason(e.currentTarget.value)}
        error={block.error ? asProblem(block.error).of('reason') : undefined}
      />
    </ActionDialog>
  )
}
