import { Button, Skeleton, Text } from '@mantine/core'
import { useState } from 'react'
import { api, unwrap } from '../api/client'
import { ConfirmDialog } from '../common/ConfirmDialog'
import { Panel } from '../common/Panel'
import { TrustedDeviceList } from '../common/TrustedDeviceList'
import { invalidateMfa, useMfa } from './mfa'

/** The devices whose sign-ins need no second factor. */
export function TrustedDevices() {
  const mfa = useMfa()
  const [deleting, setDeleting] = useState<string>()
  const devices = mfa.data?.devices ?? []
  const all = deleting === 'all'
  return (
    <Panel
      title="Trusted devices"
      help="Devices on which you ticked “Remember this device”. Signing in there needs no second factor for a while."
      actions={
        devices.length > 0 && (
          <Button variant="light" color="red" onClick={() => setDeleting('all')}>
            Delete all
          </Button>
        )
      }
    >
      {mfa.isPending ? (
        <Skeleton h={40} role="status" aria-label="Loading trusted devices" />
      ) : mfa.data && devices.length === 0 ? (
        <Text size="sm" c="dimmed">
          No trusted devices.
        </Text>
      ) : (
        <TrustedDeviceList devices={devices} onRemove={setDeleting} />
      )}
      {deleting && (
        <ConfirmDialog
          title={all ? 'Delete trusted devices' : 'Delete the trusted device'}
          confirmLabel={all ? 'Delete all' : 'Delete'}
          danger
          onClose={() => setDeleting(undefined)}
          action={() =>
            all
              ? unwrap(api.DELETE('/api/me/mfa/devices'))
              : unwrap(api.DELETE('/api/me/mfa/devices/{deviceId}', { params: { path: { deviceId: deleting } } }))
          }
          onSuccess={() => {
            setDeleting(undefined)
            void invalidateMfa()
          }}
        >
          <Text size="sm">
            {all ? 'Each of them asks' : `${devices.find((d) => d.id === deleting)?.name ?? 'It'} asks`} for your second
            factor at the next sign-in.
          </Text>
        </ConfirmDialog>
      )}
    </Panel>
  )
}
