import { Button } from '@mantine/core'
import { notifications } from '@mantine/notifications'
import { useMutation } from '@tanstack/react-query'
import { api, unwrap } from '../api/client'
import { toProblem } from '../api/problem'
import { queryClient } from '../api/queryClient'
import { canCancel, jobKey, jobName } from './job'
import type { Job } from './job'

/** Cancels a job that has not ended. */
export function CancelButton({ job, size = 'sm' }: { job: Job; size?: string }) {
  const cancel = useMutation({
    mutationFn: () => unwrap(api.POST('/api/jobs/{id}/cancel', { params: { path: { id: job.id } } })),
    onSuccess: (now) => queryClient.setQueryData(jobKey(job.id), now),
    onError: (error) =>
      notifications.show({ color: 'red', title: toProblem(error).title, message: toProblem(error).message }),
    onSettled: () =>
      Promise.all([
        queryClient.invalidateQueries({ queryKey: jobKey(job.id) }),
        queryClient.invalidateQueries({ queryKey: ['jobs'] }),
      ]),
  })
  if (!canCancel(job)) return null
  return (
    <Button
      variant="default"
      size={size}
      loading={cancel.isPending}
      onClick={() => cancel.mutate()}
      aria-label={size === 'sm' ? undefined : `Cancel ${jobName(job)}`}
    >
      Cancel
    </Button>
  )
}
