import { Button, Checkbox, CopyButton, Group, Stack, Text } from '@mantine/core'
import { IconCheck, IconCopy, IconDownload } from '@tabler/icons-react'
import { useState } from 'react'
import classes from './RecoveryCodes.module.css'

/** Recovery codes: shown this once, and only left once the person says that they are kept. */
export function RecoveryCodes({
  codes,
  confirmLabel,
  onConfirm,
}: {
  codes: string[]
  confirmLabel: string
  onConfirm: () => void
}) {
  const [saved, setSaved] = useState(false)
  const text = codes.join('\n')
  const download = () => {
    const url = URL.createObjectURL(
      new Blob([`Recovery codes for User Accounts\nEach works once in place of the authenticator.\n\n${text}\n`], {
        type: 'text/plain',
      }),
    )
    const link = document.createElement('a')
    link.href = url
    link.download = 'recovery-codes.txt'
    link.click()
    setTimeout(() => URL.revokeObjectURL(url), 10_000)
  }
  return (
    <Stack>
      <Text size="sm">
        Each of these codes lets you in once without the authenticator, should it be lost. Keep them where you would
        keep a key. They are shown this once.
      </Text>
      <ol className={classes.codes} aria-label="Recovery codes">
        {codes.map((c) => (
          <li key={c}>{c}</li>
        ))}
      </ol>
      <Group gap="xs" grow>
        <CopyButton value={text} timeout={3000}>
          {({ copied, copy }) => (
            <Button
              variant="light"
              color={copied ? 'green' : 'indigo'}
              onClick={copy}
              leftSection={copied ? <IconCheck size={17} /> : <IconCopy size={17} />}
            >
              {copied ? 'Copied' : 'Copy'}
            </Button>
          )}
        </CopyButton>
        <Button variant="light" onClick={download} leftSection={<IconDownload size={17} />}>
          Download
        </Button>
      </Group>
      <Checkbox label="I kept them" checked={saved} onChange={(e) => setSaved(e.currentTarget.checked)} />
      <Button disabled={!saved} onClick={onConfirm}>
        {confirmLabel}
      </Button>
    </Stack>
  )
}
