import { Badge, Group, Tooltip } from '@mantine/core'
import { IconArchive, IconBan, IconCalendarOff, IconCircleCheck } from '@tabler/icons-react'
import classes from './AccessBadges.module.css'
import type { Account } from './account'

/** Whether an account can sign in, in a word; what stands in the way is said on a closer look. In a narrow column of a grid (short) only the
    signs are seen, and the words are heard. */
export function AccessBadges({
  account,
  showAllowed,
  compact,
}: {
  account: Account
  showAllowed?: boolean
  compact?: boolean
}) {
  const today = new Date().toISOString().slice(0, 10)
  const outOfDates = (account.dateFrom && today < account.dateFrom) || (account.dateTo && today > account.dateTo)
  const badges = (
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
            <span className={classes.word}>{compact ? 'No access' : 'Access locked'}</span>
          </Badge>
        </Tooltip>
      )}
      {outOfDates && (
        <Tooltip label={`Can sign in from ${account.dateFrom || 'ever'} to ${account.dateTo || 'no end'}`}>
          <Badge color="orange" variant="light" tt="none" leftSection={<IconCalendarOff size={13} aria-hidden />}>
            <span className={classes.word}>Out of dates</span>
          </Badge>
        </Tooltip>
      )}
      {showAllowed && account.active !== false && !account.accessLocked && !outOfDates && (
        <Badge color="green" variant="light" tt="none" leftSection={<IconCircleCheck size={13} aria-hidden />}>
          <span className={classes.word}>{compact ? 'Allowed' : 'Access allowed'}</span>
        </Badge>
      )}
    </Group>
  )
  return compact ? <div className={classes.short}>{badges}</div> : badges
}
