import { Text } from '@mantine/core'
import { notifications } from '@mantine/notifications'
import { api, unwrap } from '../../api/client'
import { ConfirmDialog } from '../../common/ConfirmDialog'
import { accountName, updateAccountCache } from '../account'
import type { DialogProps } from './dialog'

export default function RemoveFactorDialog({ account, onClose }: DialogProps) {
  return (
    <ConfirmDialog
      title="Remove multi-factor authentication"
      confirmLabel="Remove"
      danger
      onClose={onClose}
      action={() => unwrap(api.POST('/api/accounts/{id}/mfa/remove', { params: { path: { id: account.id } } }))}
      onSuccess={() => {
        updateAccountCache(account.id)
        notifications.show({
          color: 'green',
          title: accountName(account),
          message: 'Multi-factor authentication was removed.',
        })
        onClose()
      }}
    >
      <Text size="sm">
        Everything that {accountName(account)} has set up is removed, with recovery codes and trusted devices, and all
        sessions end. If multi-factor authentication is required, they set it up again at the next sign-in.
      </Text>
    </ConfirmDialog>
  )
}
