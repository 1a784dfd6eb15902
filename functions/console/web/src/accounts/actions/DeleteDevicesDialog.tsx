import { Text } from '@mantine/core'
import { notifications } from '@mantine/notifications'
import { api, unwrap } from '../../api/client'
import { ConfirmDialog } from '../../common/ConfirmDialog'
import { accountName, updateAccountCache } from '../account'
import type { DialogProps } from './dialog'

export default function DeleteDevicesDialog({ account, onClose }: DialogProps) {
  return (
    <ConfirmDialog
      title="Delete trusted devices"
      confirmLabel="Delete"
      danger
      onClose={onClose}
      action={() => unwrap(api.DELETE('/api/accounts/{id}/mfa/devices', { params: { path: { id: account.id } } }))}
      onSuccess={() => {
        updateAccountCache(account.id)
        notifications.show({
          color: 'green',
          title: accountName(account),
          message: 'The trusted devices were deleted.',
        })
        onClose()
      }}
    >
      <Text size="sm">
        Each device on which {accountName(account)} ticked “Remember this device” will ask for the second factor at the
        next sign-in.
      </Text>
    </ConfirmDialog>
  )
}
