import { Badge, Group, Stack, Text } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { api, unwrap } from '../../api/client'
import { queryClient } from '../../api/queryClient'
import { ConfirmDialog } from '../../common/ConfirmDialog'
import { Loading } from '../../common/Loading'
import { mfaMethodNames } from '../../common/mfaMethods'
import { ProblemAlert } from '../../common/ProblemAlert'
import { TrustedDeviceList } from '../../common/TrustedDeviceList'
import { Instant } from '../../fields/Instant'
import { useHasPermission } from '../../session/session'
import type { TabProps } from './tab'

/** The account's second factor and its trusted devices. */
export default function SecondFactorTab({ account }: TabProps) {
  const hasPermission = useHasPermission()
  const key = ['tab', account.id, 'factor']
  const mfa = useQuery({
    queryKey: key,
    queryFn: () => unwrap(api.GET('/api/accounts/{id}/mfa', { params: { path: { id: account.id } } })),
  })
  const [deleting, setDeleting] = useState<string>()
  if (mfa.isPending) return <Loading label="Loading the second factor" />
  if (mfa.error) return <ProblemAlert error={mfa.error} />
  const state = mfa.data
  return (
    <Stack>
      <Group gap="xs">
        {state.methods.length === 0 && (
          <Badge color="gray" variant="light" tt="none">
            Not set up
          </Badge>
        )}
        {state.methods.map((m) => (
          <Badge key={m} color="green" variant="light" tt="none">
            {mfaMethodNames[m]}
          </Badge>
        ))}
        {state.required && (
          <Badge variant="light" tt="none">
            Required
          </Badge>
        )}
        {state.exempt && (
          <Badge color="orange" variant="light" tt="none">
            Not enforced
          </Badge>
        )}
      </Group>
      {state.methods.length > 0 && (
        <Text size="sm">
          {state.since && (
            <>
              Set up <Instant at={state.since} />.{' '}
            </>
          )}
          {state.recoveryCodesLeft} recovery {state.recoveryCodesLeft === 1 ? 'code' : 'codes'} left.
        </Text>
      )}
      {state.pausedUntil && (
        <Text size="sm">
          Paused until <Instant at={state.pausedUntil} />
          after five wrong codes.
        </Text>
      )}
      {state.ended && (
        <Text size="sm">Too many wrong codes were entered. Remove the second factor and have it set up again.</Text>
      )}
      <Text size="sm" fw={600}>
        Trusted devices
      </Text>
      {state.devices.length === 0 ? (
        <Text size="sm" c="dimmed">
          No trusted devices.
        </Text>
      ) : (
        <TrustedDeviceList
          devices={state.devices}
          {...(hasPermission('account.password') && { onRemove: setDeleting })}
        />
      )}
      {deleting && (
        <ConfirmDialog
          title="Delete the trusted device"
          confirmLabel="Delete"
          danger
          onClose={() => setDeleting(undefined)}
          action={() =>
            unwrap(
              api.DELETE('/api/accounts/{id}/mfa/devices/{deviceId}', {
                params: { path: { id: account.id, deviceId: deleting } },
              }),
            )
          }
          onSuccess={() => {
            setDeleting(undefined)
            void queryClient.invalidateQueries({ queryKey: key })
          }}
        >
          <Text size="sm">The device will ask for the second factor at the next sign-in.</Text>
        </ConfirmDialog>
      )}
    </Stack>
  )
}
