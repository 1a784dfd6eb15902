import { Badge, Group, Tooltip } from '@mantine/core'
import { IconArchive, IconBan, IconCalendarOff, IconCircleCheck } from '@tabler/icons-react'
import type { Account } from './account'
import classes from './Marks.module.css'

/** Whether an account can sign in, in a word; what stands in the way is said on a closer look. In a narrow column of a grid (short) only the
    signs are seen, and the words are heard. */
export function Marks({ account, always, short }: { account: Account; always?: boolean; short?: boolean }) {
  const today = new Date().toISOString().slice(0, 10)
  const outside = (account.dateFrom && today < account.dateFrom) || (account.dateTo && today > account.dateTo)
  const group = (
    <Group gap={6} display="inline-flex" wrap="nowrap">
      {account.active === false && (
        <Tooltip label="Locked: out of use, and without a seat">
          <Badge color="gray" variant="light" tt="none" leftSection={<IconArchive size={13} aria-hidden />}>
            <span className={classes.word}>Locked</span>
          </Badge>
        </Tooltip>
      )}
      {account.accessLocked && (
        <Tooltip label={account.lockedReason || 'Login access is not allowed'}>
          <Badge color="red" variant="light" tt="none" leftSection={<IconBan size={13} aria-hidden />}>
            <span className={classes.word}>{short ? 'No access' : 'Access locked'}</span>
          </Badge>
        </Tooltip>
      )}
      {outside && (
        <Tooltip label={`Can sign in from ${account.dateFrom || 'ever'} to ${account.dateTo || 'no end'}`}>
          <Badge color="orange" variant="light" tt="none" leftSection={<IconCalendarOff size={13} aria-hidden />}>
            <span className={classes.word}>Out of dates</span>
          </Badge>
        </Tooltip>
      )}
      {always && account.active !== false && !account.accessLocked && !outside && (
        <Badge color="green" variant="light" tt="none" leftSection={<IconCircleCheck size={13} aria-hidden />}>
          <span className={classes.word}>{short ? 'Allowed' : 'Access allowed'}</span>
        </Badge>
      )}
    </Group>
  )
  return short ? <div className={classes.short}>{group}</div> : group
}
