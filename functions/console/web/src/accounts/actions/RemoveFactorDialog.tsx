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
          message: 'Multi-factor authentication was removed.',
        })
        onClose()
      }}
    >
      <Text size="sm">
        Everything that {accountName(account)} has set up is removed, with recovery codes and trusted devices, and all
        sessions end. If multi-factor authentication is required, they set it up again at the next sign-in.
      </Text>
    </ReauthDialog>
  )
}
