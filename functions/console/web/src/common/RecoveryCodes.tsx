import { Button, Checkbox, CopyButton, Group, Stack, Text } from '@mantine/core'
import { IconCheck, IconCopy, IconDownload } from '@tabler/icons-react'
import { useState } from 'react'
import classes from './RecoveryCodes.module.css'

/** Recovery codes, shown once; the user must confirm that they are saved. */
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
      new Blob(
        [
          `Recovery codes for User Accounts\nEach works once, instead of a code from your authenticator app.\n\n${text}\n`,
        ],
        {
          type: 'text/plain',
        },
      ),
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
        If you lose your authenticator, each of these codes lets you sign in once without it. Keep them somewhere safe.
        They are shown only once.
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
      <Checkbox label="I have saved these codes" checked={saved} onChange={(e) => setSaved(e.currentTarget.checked)} />
      <Button disabled={!saved} onClick={onConfirm}>
        {confirmLabel}
      </Button>
    </Stack>
  )
}
