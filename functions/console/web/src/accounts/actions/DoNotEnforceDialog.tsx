import { Text } from '@mantine/core'
import { notifications } from '@mantine/notifications'
import { api, ask } from '../../api/client'
import { ProofDialog } from '../../common/ProofDialog'
import { nameOf, refreshed } from '../account'
import type { DialogProps } from './dialog'

export default function DoNotEnforceDialog({ account, close }: DialogProps) {
  return (
    <ProofDialog
      title="Do not enforce multi-factor authentication"
      apply="Do not enforce"
      danger
      close={close}
      act={(proof) =>
        ask(api.POST('/api/accounts/{id}/mfa/do-not-enforce', { params: { path: { id: account.id } }, body: proof }))
      }
      done={() => {
        refreshed(account.id)
        notifications.show({
          color: 'green',
          title: nameOf(account),
          message: 'Multi-factor authentication is not enforced any more.',
        })
        close()
      }}
    >
      <Text size="sm">
        {nameOf(account)} may sign in without it, whatever the environment's default is, until MFA required is ticked
        again. What is set up stays and is still asked for.
      </Text>
    </ProofDialog>
  )
}
