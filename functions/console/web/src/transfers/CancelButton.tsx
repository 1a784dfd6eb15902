import { Button } from '@mantine/core'
import { notifications } from '@mantine/notifications'
import { useMutation } from '@tanstack/react-query'
import { api, ask } from '../api/client'
import { asProblem } from '../api/problem'
import { queries } from '../api/queries'
import { canCancel, jobKey, nameOf } from './job'
import type { Job } from './job'

/** Stops a job that has not ended. */
export function CancelButton({ job, size = 'sm' }: { job: Job; size?: string }) {
  const cancel = useMutation({
    mutationFn: () => ask(api.POST('/api/jobs/{id}/cancel', { params: { path: { id: job.id } } })),
    onSuccess: (now) => queries.setQueryData(jobKey(job.id), now),
    onError: (error) =>
      notifications.show({ color: 'red', title: asProblem(error).title, message: asProblem(error).message }),
    onSettled: () =>
      Promise.all([
        queries.invalidateQueries({ queryKey: jobKey(job.id) }),
        queries.invalidateQueries({ queryKey: ['jobs'] }),
      ]),
  })
  if (!canCancel(job)) return null
  return (
    <Button
      variant="default"
      size={size}
      loading={cancel.isPending}
      onClick={() => cancel.mutate()}
      aria-label={size === 'sm' ? undefined : `Cancel ${nameOf(job)}`}
    >
      Cancel
    </Button>
  )
}
