import { Text, TextInput } from '@mantine/core'
import { useMutation } from '@tanstack/react-query'
import { useState } from 'react'
import { api, unwrap } from '../../api/client'
import { toProblem } from '../../api/problem'
import { ActionDialog } from '../../common/ActionDialog'
import { accountName, updateAccountCache } from '../account'
import type { DialogProps } from './dialog'

export default function BlockDialog({ account, onClose }: DialogProps) {
  const [reason, setReason] = useState('')
  const block = useMutation({
    mutationFn: () =>
      unwrap(api.POST('/api/accounts/{id}/block', { params: { path: { id: account.id } }, body: { reason } })),
    onSuccess: (changed) => {
      updateAccountCache(account.id, changed)
      onClose()
    },
  })
  return (
    <ActionDialog
      title="Block login access"
      confirmLabel="Apply"
      danger
      canConfirm={reason.trim() !== ''}
      busy={block.isPending}
      error={block.error}
      inlineFields={['reason']}
      onClose={onClose}
      onConfirm={() => block.mutate()}
    >
      <Text size="sm">{accountName(account)} can no longer sign in, and all open sessions end immediately.</Text>
      <TextInput
        label="Reason"
        required
        data-autofocus
        maxLength={200}
        value={reason}
        onChange={(e) => setReason(e.currentTarget.value)}
        error={block.error ? toProblem(block.error).messageFor('reason') : undefined}
      />
    </ActionDialog>
  )
}
