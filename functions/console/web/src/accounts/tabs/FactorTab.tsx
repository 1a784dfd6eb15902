import { Badge, Group, Stack, Text } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { api, ask } from '../../api/client'
import { queries } from '../../api/queries'
import { DeviceList } from '../../common/DeviceList'
import { Loading } from '../../common/Loading'
import { methodNames } from '../../common/methods'
import { ProblemAlert } from '../../common/ProblemAlert'
import { ProofDialog } from '../../common/ProofDialog'
import { Instant } from '../../fields/Instant'
import { useMay } from '../../session/session'
import type { TabProps } from './tab'

/** What an account has set up as its second factor, and the devices that need none. */
export default function FactorTab({ account }: TabProps) {
  const may = useMay()
  const key = ['tab', account.id, 'factor']
  const mfa = useQuery({
    queryKey: key,
    queryFn: () => ask(api.GET('/api/accounts/{id}/mfa', { params: { path: { id: account.id } } })),
  })
  const [asking, setAsking] = useState<string>()
  if (mfa.isPending) return <Loading what="Loading the second factor" />
  if (mfa.error) return <ProblemAlert error={mfa.error} />
  const state = mfa.data
  return (
    <Stack>
      <Group gap="xs">
        {state.methods.length === 0 && (
          <Badge color="gray" variant="light" tt="none">
            Nothing set up
          </Badge>
        )}
        {state.methods.map((m) => (
          <Badge key={m} color="green" variant="light" tt="none">
            {methodNames[m]}
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
          Paused until <Instant at={state.pausedUntil} />, because five codes were wrong.
        </Text>
      )}
      {state.ended && <Text size="sm">So many codes were wrong that it has to be removed and set up anew.</Text>}
      <Text size="sm" fw={600}>
        Trusted devices
      </Text>
      {state.devices.length === 0 ? (
        <Text size="sm" c="dimmed">
          No device is remembered.
        </Text>
      ) : (
        <DeviceList devices={state.devices} {...(may('account.session') && { remove: setAsking })} />
      )}
      {asking && (
        <ProofDialog
          title="Delete the trusted device"
          apply="Delete"
          danger
          close={() => setAsking(undefined)}
          act={(body) =>
            ask(
              api.DELETE('/api/accounts/{id}/mfa/devices/{deviceId}', {
                params: { path: { id: account.id, deviceId: asking } },
                body,
              }),
            )
          }
          done={() => {
            setAsking(undefined)
            void queries.invalidateQueries({ queryKey: key })
          }}
        >
          <Text size="sm">It asks for the second factor at its next sign-in.</Text>
        </ProofDialog>
      )}
    </Stack>
  )
}
