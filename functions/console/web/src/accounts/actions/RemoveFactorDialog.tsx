import { Text } from '@mantine/core'
import { notifications } from '@mantine/notifications'
import { api, unwrap } from '../../api/client'
import { ReauthDialog } from '../../common/ReauthDialog'
import { accountName, updateAccountCache } from '../account'
import type { DialogProps } from './dialog'

export default function RemoveFactorDialog({ account, onClose }: DialogProps) {
  return (
    <ReauthDialog
      title="Remove multi-factor authentication"
      confirmLabel="Remove"
      danger
      onClose={onClose}
      action={(proof) =>
        unwrap(api.POST('/api/accounts/{id}/mfa/remove', { params: { path: { id: account.id } }, body: proof }))
      }
      onSuccess={() => {
        updateAccountCache(account.id)
        notifications.show({
          color: 'green',
          title: accountName(account),
          message: 'Multi-factor authentication is removed.',
        })
        onClose()
      }}
    >
      <Text size="sm">
        What {accountName(account)} has set up goes, with recovery codes and trusted devices, and every session ends.
        Where it is required, the next sign-in leads to setting it up anew.
      </Text>
    </ReauthDialog>
  )
}
