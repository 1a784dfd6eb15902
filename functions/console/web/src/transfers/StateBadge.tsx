import { Badge } from '@mantine/core'
import { IconBan, IconCircleCheck, IconClock, IconCircleX, IconProgress } from '@tabler/icons-react'
import { stateOf } from './job'
import type { Job } from './job'

const icons = { gray: IconClock, blue: IconProgress, green: IconCircleCheck, red: IconCircleX, orange: IconProgress }

/** A job's state: a word and a sign, never a colour alone. */
export function StateBadge({ job }: { job: Job }) {
  const { words, colour } = stateOf(job)
  const Icon = job.state === 'cancelled' ? IconBan : icons[colour]
  return (
    <Badge color={colour} variant="light" tt="none" miw="max-content" leftSection={<Icon size={13} aria-hidden />}>
      {words}
    </Badge>
  )
}
