import { Badge } from '@mantine/core'
import { IconBan, IconCircleCheck, IconClock, IconCircleX, IconProgress } from '@tabler/icons-react'
import { jobState } from './job'
import type { Job } from './job'

const icons = { gray: IconClock, blue: IconProgress, green: IconCircleCheck, red: IconCircleX, orange: IconProgress }

/** A job's state: text and icon, never colour alone. */
export function JobStateBadge({ job }: { job: Job }) {
  const { label, colour } = jobState(job)
  const Icon = job.state === 'cancelled' ? IconBan : icons[colour]
  return (
    <Badge color={colour} variant="light" tt="none" miw="max-content" leftSection={<Icon size={13} aria-hidden />}>
      {label}
    </Badge>
  )
}
