import { Badge, Group, Tooltip } from '@mantine/core'
import { IconArchive, IconBan, IconCalendarOff, IconCircleCheck } from '@tabler/icons-react'
import classes from './AccessBadges.module.css'
import type { Account } from './account'

/**
 * Whether an account can sign in, and why not. In a narrow column of a grid (compact) only the icons are visible;
 * screen readers still read the words.
 */
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
        <Tooltip label="Locked: not in use, and without a licence seat">
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
        <Tooltip
          label={[
            'Can sign in',
            account.dateFrom && `from ${account.dateFrom}`,
            account.dateTo && `until ${account.dateTo}`,
          ]
            .filter(Boolean)
            .join(' ')}
        >
          <Badge color="orange" variant="light" tt="none" leftSection={<IconCalendarOff size={13} aria-hidden />}>
            <span className={classes.word}>Outside its dates</span>
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
