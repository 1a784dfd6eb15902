import { Badge, Group, Tooltip } from '@mantine/core'
import { IconArchive, IconBan, IconCalendarOff, IconCircleCheck } from '@tabler/icons-react'
import type { Account } from './account'

/** Whether an account can sign in, in a word; what stands in the way is said on a closer look. */
export function Marks({ account, always, short }: { account: Account; always?: boolean; short?: boolean }) {
  const today = new Date().toISOString().slice(0, 10)
  const outside = (account.dateFrom && today < account.dateFrom) || (account.dateTo && today > account.dateTo)
  return (
    <Group gap={6} display="inline-flex" wrap="nowrap">
      {account.active === false && (
        <Tooltip label="Locked: out of use, and without a seat">
          <Badge color="gray" variant="light" tt="none" leftSection={<IconArchive size={13} aria-hidden />}>Locked</Badge>
        </Tooltip>
      )}
      {account.accessLocked && (
        <Tooltip label={account.lockedReason || 'Login access is not allowed'}>
          <Badge color="red" variant="light" tt="none" leftSection={<IconBan size={13} aria-hidden />}>{short ? 'No access' : 'Access locked'}</Badge>
        </Tooltip>
      )}
      {outside && (
        <Tooltip label={`Can sign in from ${account.dateFrom || 'ever'} to ${account.dateTo || 'no end'}`}>
          <Badge color="orange" variant="light" tt="none" leftSection={<IconCalendarOff size={13} aria-hidden />}>Out of dates</Badge>
        </Tooltip>
      )}
      {always && account.active !== false && !account.accessLocked && !outside && (
        <Badge color="green" variant="light" tt="none" leftSection={<IconCircleCheck size={13} aria-hidden />}>{short ? 'Allowed' : 'Access allowed'}</Badge>
      )}
    </Group>
  )
}
