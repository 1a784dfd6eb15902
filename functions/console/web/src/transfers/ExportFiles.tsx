import { Button, Group, Skeleton } from '@mantine/core'
import { notifications } from '@mantine/notifications'
import { IconDownload } from '@tabler/icons-react'
import { useMutation, useQuery } from '@tanstack/react-query'
import { api, unwrap } from '../api/client'
import { toProblem } from '../api/problem'
import { Panel } from '../common/Panel'
import { ProblemAlert } from '../common/ProblemAlert'
import { download } from './download'
import type { Job } from './job'

/** The files of an export. Links are fetched on demand, because they expire after five minutes. */
export function ExportFiles({ job }: { job: Job }) {
  const fetchLinks = () => unwrap(api.GET('/api/jobs/{id}/download', { params: { path: { id: job.id } } }))
  const files = useQuery({ queryKey: ['job', job.id, 'files'], queryFn: fetchLinks, staleTime: Infinity })
  const downloadFile = useMutation({
    mutationFn: async (name: string) => {
      const link = (await fetchLinks()).items.find((f) => f.name === name)
      if (link) download(link.url, link.name)
    },
    onError: (error) =>
      notifications.show({ color: 'red', title: toProblem(error).title, message: toProblem(error).message }),
  })
  return (
    <Panel
      title={files.data?.items.length === 1 ? 'The file' : 'The files'}
      help="Available for 7 days. You can edit a file and import it again."
    >
      <ProblemAlert error={files.error} />
      {files.isPending && !files.error && <Skeleton h={36} role="status" aria-label="Loading the files" />}
      <Group gap="xs">
        {files.data?.items.map((f) => (
          <Button
            key={f.name}
            leftSection={<IconDownload size={18} />}
            variant={files.data.items.length === 1 ? 'filled' : 'default'}
            loading={downloadFile.isPending && downloadFile.variables === f.name}
            onClick={() => downloadFile.mutate(f.name)}
          >
            Download {f.name}
          </Button>
        ))}
      </Group>
    </Panel>
  )
}
