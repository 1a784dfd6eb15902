import { Text } from '@mantine/core'
import { notifications } from '@mantine/notifications'
import { api, unwrap } from '../../api/client'
import { ConfirmDialog } from '../../common/ConfirmDialog'
import { accountName, updateAccountCache } from '../account'
import type { DialogProps } from './dialog'

export default function DoNotEnforceDialog({ account, onClose }: DialogProps) {
  return (
    <ConfirmDialog
      title="Do not enforce multi-factor authentication"
      confirmLabel="Do not enforce"
      danger
      onClose={onClose}
      action={() => unwrap(api.POST('/api/accounts/{id}/mfa/do-not-enforce', { params: { path: { id: account.id } } }))}
      onSuccess={() => {
        updateAccountCache(account.id)
        notifications.show({
          color: 'green',
          title: accountName(account),
          message: 'Multi-factor authentication is no longer enforced.',
        })
        onClose()
      }}
    >
      <Text size="sm">
        {accountName(account)} can sign in without it, whatever the environment default is, until MFA required is ticked
        again. A second factor that is already set up stays and is still asked for.
      </Text>
    </ConfirmDialog>
  )
}
