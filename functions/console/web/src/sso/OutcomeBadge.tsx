import { Badge, Text } from '@mantine/core'
import type { Schemas } from '../api/client'

type LinkOutcome = Schemas['SsoMatched']['outcome']

export const outcomes: Record<LinkOutcome, { label: string; colour: string }> = {
  linkable: { label: 'Can be linked', colour: 'blue' },
  linked: { label: 'Linked', colour: 'green' },
  alreadyLinked: { label: 'Already linked', colour: 'gray' },
  noSuchEmail: { label: 'No such email', colour: 'orange' },
  twoAccounts: { label: 'Two accounts', colour: 'red' },
  linkedToAnother: { label: 'Linked to another', colour: 'red' },
  notAllowed: { label: 'Not allowed', colour: 'red' },
  unusable: { label: 'Not usable', colour: 'red' },
  noSuchAccount: { label: 'No such account', colour: 'orange' },
  removed: { label: 'Link removed', colour: 'green' },
  notLinked: { label: 'Not linked', colour: 'gray' },
}

/** The outcome of linking one account. */
export function OutcomeBadge({ match }: { match: Pick<Schemas['SsoMatched'], 'outcome' | 'detail'> }) {
  const { label, colour } = outcomes[match.outcome]
  return (
    <span>
      <Badge variant="light" tt="none" color={colour}>
        {label}
      </Badge>
      {match.detail && (
        <Text size="xs" c="dimmed" fw={400}>
          {match.detail}
        </Text>
      )}
    </span>
  )
}
