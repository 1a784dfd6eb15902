import { Text } from '@mantine/core'
import { notifications } from '@mantine/notifications'
import { api, unwrap } from '../../api/client'
import { ReauthDialog } from '../../common/ReauthDialog'
import { accountName, updateAccountCache } from '../account'
import type { DialogProps } from './dialog'

export default function DeleteDevicesDialog({ account, onClose }: DialogProps) {
  return (
    <ReauthDialog
      title="Delete trusted devices"
      confirmLabel="Delete"
      danger
      onClose={onClose}
      action={(proof) =>
        unwrap(api.DELETE('/api/accounts/{id}/mfa/devices', { params: { path: { id: account.id } }, body: proof }))
      }
      onSuccess={() => {
        updateAccountCache(account.id)
        notifications.show({ color: 'green', title: accountName(account), message: 'The trusted devices are deleted.' })
        onClose()
      }}
    >
      <Text size="sm">
        Every device on which {accountName(account)} ticked “Remember this device” asks for the second factor at its
        next sign-in.
      </Text>
    </ReauthDialog>
  )
}
