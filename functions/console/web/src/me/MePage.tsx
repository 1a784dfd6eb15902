import { Stack, Text, Title } from '@mantine/core'
import { useMe } from '../session/session'
import { Devices } from './Devices'
import { Links } from './Links'
import classes from './Me.module.css'
import { OwnSessions } from './OwnSessions'
import { Passkeys } from './Passkeys'
import { Password } from './Password'
import { SecondFactor } from './SecondFactor'

/** What people do for themselves. */
export function MePage() {
  const me = useMe()
  return (
    <Stack gap="md" className={classes.page}>
      <div>
        <Title order={1} size="h2">
          My account
        </Title>
        <Text c="dimmed">Signed in as {me.username}</Text>
      </div>
      <Password />
      <SecondFactor />
      <Passkeys />
      <Devices />
      <OwnSessions />
      <Links />
    </Stack>
  )
}
