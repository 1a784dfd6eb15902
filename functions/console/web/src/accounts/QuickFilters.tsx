import { Chip, Group } from '@mantine/core'
import type { GridState } from '../grid/gridState'

/** The most common filters, one click each. */
const quickFilters = [
  { label: 'Include locked', name: 'active', text: 'any' },
  { label: 'Blocked', name: 'accessLocked', text: 'true' },
]

/** Whether a filter is shown as a chip. */
export const isQuickFilter = (name: string, text: string) =>
  quickFilters.some((q) => q.name === name && q.text === text)

export function QuickFilters({ state, onChange }: { state: GridState; onChange: (state: GridState) => void }) {
  return (
    <Group gap={6} role="group" aria-label="Quick filters">
      {quickFilters.map((q) => (
        <Chip
          key={q.name}
          size="sm"
          radius="xl"
          variant="outline"
          checked={state.filters[q.name] === q.text}
          onChange={(on) => {
            const { [q.name]: _, ...rest } = state.filters
            onChange({ ...state, filters: on ? { ...rest, [q.name]: q.text } : rest })
          }}
        >
          {q.label}
        </Chip>
      ))}
    </Group>
  )
}
