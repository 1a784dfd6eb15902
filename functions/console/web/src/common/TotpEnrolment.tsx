import { Button, CopyButton, Group, Stack, Text } from '@mantine/core'
import { IconCheck, IconCopy } from '@tabler/icons-react'
import classes from './TotpEnrolment.module.css'

/** The secret of an authenticator, as a QR code and as text. */
export function TotpEnrolment({ qrCode, secret }: { qrCode: string; secret: string }) {
  return (
    <Stack gap="sm">
      <Text size="sm">Scan the QR code with an authenticator app, then enter the six-digit code that it shows.</Text>
      <img
        className={classes.qr}
        src={qrCode}
        width={192}
        height={192}
        alt="QR code for an authenticator app; the same secret is shown below as text"
      />
      <div className={classes.typed}>
        <Text size="sm" c="dimmed" id="typed-secret">
          Or enter this secret in the app
        </Text>
        <Group gap="xs" wrap="nowrap" justify="space-between">
          <output className={classes.secret} aria-labelledby="typed-secret">
            {secret.replace(/(.{4})(?=.)/g, '$1 ')}
          </output>
          <CopyButton value={secret} timeout={3000}>
            {({ copied, copy }) => (
              <Button
                size="compact-sm"
                variant="light"
                color={copied ? 'green' : 'indigo'}
                onClick={copy}
                leftSection={copied ? <IconCheck size={15} /> : <IconCopy size={15} />}
              >
                {copied ? 'Copied' : 'Copy'}
              </Button>
            )}
          </CopyButton>
        </Group>
      </div>
    </Stack>
  )
}
