import { Anchor, Badge, Checkbox, Group, Text } from '@mantine/core'
import { Link } from 'react-router'
import { AccessBadges } from './AccessBadges'
import type { Account } from './account'
import { accountName } from './account'
import classes from './AccountsPage.module.css'

/** The list on a narrow screen: a card for each account. */
export function AccountCards({
  rows,
  selected,
  onSelect,
}: {
  rows: Account[]
  selected: ReadonlySet<string>
  onSelect: (ids: Set<string>) => void
}) {
  return (
    <ul className={classes.cards} aria-label="User accounts">
      {rows.map((a) => (
        <li key={a.id} className={classes.card} data-selected={selected.has(a.id) || undefined}>
          <Checkbox
            aria-label={`Select ${accountName(a)}`}
            checked={selected.has(a.id)}
            onChange={(e) => {
              const next = new Set(selected)
              if (e.currentTarget.checked) next.add(a.id)
              else next.delete(a.id)
              onSelect(next)
            }}
          />
          <div>
            <Group justify="space-between" gap="xs" wrap="nowrap">
              <Anchor component={Link} to={`/accounts/${a.id}`} fw={600}>
                {a.username}
              </Anchor>
              <Badge variant="light" color="gray" radius="sm">
                {a.userType}
              </Badge>
            </Group>
            <Text size="sm">{a.name}</Text>
            {a.email && (
              <Text size="sm" c="dimmed" className={classes.mail}>
                {a.email}
              </Text>
            )}
            <Group mt={6}>
              <AccessBadges account={a} showAllowed />
            </Group>
          </div>
        </li>
      ))}
    </ul>
  )
}
