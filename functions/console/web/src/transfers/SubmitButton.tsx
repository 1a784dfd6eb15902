import { Button, Menu } from '@mantine/core'
import { IconChevronDown } from '@tabler/icons-react'

/** Submit, with Queue in its dropdown, as the guide has it. */
export function SubmitButton({
  label = 'Submit',
  busy,
  disabled,
  onSubmit,
}: {
  label?: string
  busy: boolean
  disabled?: boolean
  onSubmit: (queue: boolean) => void
}) {
  return (
    <Button.Group>
      <Button type="submit" loading={busy} disabled={disabled}>
        {label}
      </Button>
      <Menu width={300}>
        <Menu.Target>
          <Button
            px="xs"
            disabled={busy || disabled}
            aria-label="More ways to submit"
            style={{ borderInlineStart: '1px solid rgba(255, 255, 255, 0.35)' }}
          >
            <IconChevronDown size={18} />
          </Button>
        </Menu.Target>
        <Menu.Dropdown>
          <Menu.Item onClick={() => onSubmit(true)} aria-label="Queue">
            Queue
            <br />
            <small>Waits until all jobs that were submitted earlier have finished.</small>
          </Menu.Item>
        </Menu.Dropdown>
      </Menu>
    </Button.Group>
  )
}
