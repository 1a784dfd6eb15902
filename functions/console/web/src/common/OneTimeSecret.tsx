import { Button, CopyButton, Group, Stack, Text } from '@mantine/core'
import { IconCheck, IconCopy } from '@tabler/icons-react'
import classes from './OneTimeSecret.module.css'

/** A secret that is shown once, with a button to copy it. */
export function OneTimeSecret({ label, value }: { label: string; value: string }) {
  return (
    <Stack gap="xs">
      <Text size="sm" fw={600} id="secret-label">
        {label}
      </Text>
      <output className={classes.secret} aria-labelledby="secret-label">
        {value}
      </output>
      <Group justify="space-between">
        <Text size="sm" c="dimmed">
          This is shown only once.
        </Text>
        <CopyButton value={value} timeout={3000}>
          {({ copied, copy }) => (
            <Button
              size="sm"
              variant="light"
              color={copied ? 'green' : 'indigo'}
              onClick={copy}
              leftSection={copied ? <IconCheck size={17} /> : <IconCopy size={17} />}
            >
              {copied ? 'Copied' : 'Copy'}
            </Button>
          )}
        </CopyButton>
      </Group>
    </Stack>
  )
}
