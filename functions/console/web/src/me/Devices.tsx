import { Button, Skeleton, Text } from '@mantine/core'
import { useState } from 'react'
import { api, ask } from '../api/client'
import { DeviceList } from '../common/DeviceList'
import { Panel } from '../common/Panel'
import { ProofDialog } from '../common/ProofDialog'
import { mfaChanged, useMfa } from './mfa'

/** The devices whose sign-ins need no second factor. */
export function Devices() {
  const mfa = useMfa()
  const [asking, setAsking] = useState<string>()
  const devices = mfa.data?.devices ?? []
  const all = asking === 'all'
  return (
    <Panel
      title="Trusted devices"
      help="Where you ticked “Remember this device”: signing in there needs no second factor for a while."
      actions={
        devices.length > 0 && (
          <Button variant="light" color="red" onClick={() => setAsking('all')}>
            Delete all
          </Button>
        )
      }
    >
      {mfa.isPending ? (
        <Skeleton h={40} aria-label="Loading trusted devices" />
      ) : mfa.data && devices.length === 0 ? (
        <Text size="sm" c="dimmed">
          No device is remembered.
        </Text>
      ) : (
        <DeviceList devices={devices} remove={setAsking} />
      )}
      {asking && (
        <ProofDialog
          title={all ? 'Delete trusted devices' : 'Delete the trusted device'}
          apply={all ? 'Delete all' : 'Delete'}
          danger
          close={() => setAsking(undefined)}
          act={(body) =>
            all
              ? ask(api.DELETE('/api/me/mfa/devices', { body }))
              : ask(api.DELETE('/api/me/mfa/devices/{deviceId}', { params: { path: { deviceId: asking } }, body }))
          }
          done={() => {
            setAsking(undefined)
            void mfaChanged()
          }}
        >
          <Text size="sm">
            {all ? 'Each of them asks' : `${devices.find((d) => d.id === asking)?.name ?? 'It'} asks`} for your second
            factor at the next sign-in.
          </Text>
        </ProofDialog>
      )}
    </Panel>
  )
}
