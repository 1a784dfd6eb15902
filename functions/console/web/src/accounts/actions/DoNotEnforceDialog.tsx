import { Text } from '@mantine/core'
import { notifications } from '@mantine/notifications'
import { api, unwrap } from '../../api/client'
import { ReauthDialog } from '../../common/ReauthDialog'
import { accountName, updateAccountCache } from '../account'
import type { DialogProps } from './dialog'

export default function DoNotEnforceDialog({ account, onClose }: DialogProps) {
  return (
    <ReauthDialog
      title="Do not enforce multi-factor authentication"
      confirmLabel="Do not enforce"
      danger
      onClose={onClose}
      action={(proof) =>
        unwrap(api.POST('/api/accounts/{id}/mfa/do-not-enforce', { params: { path: { id: account.id } }, body: proof }))
      }
      onSuccess={() => {
        updateAccountCache(account.id)
        notifications.show({
          color: 'green',
          title: accountName(account),
          message: 'Multi-factor authentication is not enforced any more.',
        })
        onClose()
      }}
    >
      <Text size="sm">
        {accountName(account)} may sign in without it, whatever the environment's default is, until MFA required is
        ticked again. What is set up stays and is still asked for.
      </Text>
    </ReauthDialog>
  )
}
