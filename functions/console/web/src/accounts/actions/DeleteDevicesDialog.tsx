import { Text } from '@mantine/core'
import { notifications } from '@mantine/notifications'
import { api, ask } from '../../api/client'
import { ProofDialog } from '../../common/ProofDialog'
import { nameOf, refreshed } from '../account'
import type { DialogProps } from './dialog'

export default function DeleteDevicesDialog({ account, close }: DialogProps) {
  return (
    <ProofDialog
      title="Delete trusted devices"
      apply="Delete"
      danger
      close={close}
      act={(proof) =>
        ask(api.DELETE('/api/accounts/{id}/mfa/devices', { params: { path: { id: account.id } }, body: proof }))
      }
      done={() => {
        refreshed(account.id)
        notifications.show({ color: 'green', title: nameOf(account), message: 'The trusted devices are deleted.' })
        close()
      }}
    >
      <Text size="sm">
        Every device on which {nameOf(account)} ticked “Remember this device” asks for the second factor at its next
        sign-in.
      </Text>
    </ProofDialog>
  )
}
