import { Text } from '@mantine/core'
import { notifications } from '@mantine/notifications'
import { api, ask } from '../../api/client'
import { ProofDialog } from '../../common/ProofDialog'
import { nameOf, refreshed } from '../account'
import type { DialogProps } from './dialog'

export default function RemoveFactorDialog({ account, close }: DialogProps) {
  return (
    <ProofDialog
      title="Remove multi-factor authentication"
      apply="Remove"
      danger
      close={close}
      act={(proof) =>
        ask(api.POST('/api/accounts/{id}/mfa/remove', { params: { path: { id: account.id } }, body: proof }))
      }
      done={() => {
        refreshed(account.id)
        notifications.show({
          color: 'green',
          title: nameOf(account),
          message: 'Multi-factor authentication is removed.',
        })
        close()
      }}
    >
      <Text size="sm">
        What {nameOf(account)} has set up goes, with recovery codes and trusted devices, and every session ends. Where
        it is required, the next sign-in leads to setting it up anew.
      </Text>
    </ProofDialog>
  )
}
