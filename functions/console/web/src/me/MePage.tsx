import { Stack, Text, Title } from '@mantine/core'
import { useMe } from '../session/session'
import { LinkedIdentities } from './LinkedIdentities'
import classes from './Me.module.css'
import { Passkeys } from './Passkeys'
import { PasswordPanel } from './PasswordPanel'
import { SecondFactor } from './SecondFactor'
import { Sessions } from './Sessions'
import { TrustedDevices } from './TrustedDevices'

/** The user's own account: password, second factor, sessions. */
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
      <PasswordPanel />
      <SecondFactor />
      <Passkeys />
      <TrustedDevices />
      <Sessions />
      <LinkedIdentities />
    </Stack>
  )
}
