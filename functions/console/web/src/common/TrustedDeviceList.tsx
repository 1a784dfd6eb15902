import { Button } from '@mantine/core'
import type { Schemas } from '../api/client'
import { Instant } from '../fields/Instant'
import { ResponsiveTable } from './ResponsiveTable'

/** Trusted devices. */
export function TrustedDeviceList({
  devices,
  removing,
  onRemove,
}: {
  devices: Schemas['MfaDevice'][]
  removing?: string | undefined
  onRemove?: (id: string) => void
}) {
  return (
    <ResponsiveTable
      label="Trusted devices"
      rows={devices}
      rowKey={(d) => d.id}
      columns={[
        { label: 'Device', cell: (d) => d.name },
        { label: 'Location', cell: (d) => d.location },
        { label: 'First used', cell: (d) => <Instant at={d.firstUsed} /> },
        { label: 'Last used', cell: (d) => <Instant at={d.lastUsed} /> },
        { label: 'Remembered until', cell: (d) => <Instant at={d.expires} /> },
        ...(onRemove
          ? [
              {
                label: 'Delete',
                labelHidden: true,
                cell: (d: Schemas['MfaDevice']) => (
                  <Button
                    size="compact-sm"
                    variant="light"
                    color="red"
                    loading={removing === d.id}
                    aria-label={`Delete ${d.name}`}
                    onClick={() => onRemove(d.id)}
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
