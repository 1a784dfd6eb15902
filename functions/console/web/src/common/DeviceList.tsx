import { Button } from '@mantine/core'
import type { Schemas } from '../api/client'
import { Instant } from '../fields/Instant'
import { Records } from './Records'

/** Trusted devices. */
export function DeviceList({
  devices,
  busy,
  remove,
}: {
  devices: Schemas['MfaDevice'][]
  busy?: string | undefined
  remove?: (id: string) => void
}) {
  return (
    <Records
      label="Trusted devices"
      rows={devices}
      idOf={(d) => d.id}
      columns={[
        { label: 'Device', cell: (d) => d.name },
        { label: 'Location', cell: (d) => d.location },
        { label: 'First used', cell: (d) => <Instant at={d.firstUsed} /> },
        { label: 'Last used', cell: (d) => <Instant at={d.lastUsed} /> },
        { label: 'Remembered until', cell: (d) => <Instant at={d.expires} /> },
        ...(remove
          ? [
              {
                label: 'Delete',
                quiet: true,
                cell: (d: Schemas['MfaDevice']) => (
                  <Button
                    size="compact-sm"
                    variant="light"
                    color="red"
                    loading={busy === d.id}
                    aria-label={`Delete ${d.name}`}
                    onClick={() => remove(d.id)}
                  >
                    Delete
                  </Button>
                ),
              },
            ]
          : []),
      ]}
    />
  )
}
