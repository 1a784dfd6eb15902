import { Button, Group, Stack, Text, Title } from '@mantine/core'
import { useMutation, useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { api, idempotencyKey, unwrap } from '../api/client'
import { queryClient } from '../api/queryClient'
import { ActionDialog } from '../common/ActionDialog'
import { ConfirmDialog } from '../common/ConfirmDialog'
import { Dialog } from '../common/Dialog'
import { OneTimeSecret } from '../common/OneTimeSecret'
import { ProblemAlert } from '../common/ProblemAlert'
import { Instant } from '../fields/Instant'

/** The credentials of an application: made, shown once, and ended. */
export function Credentials({ code, canWrite }: { code: string; canWrite: boolean }) {
  const [creating, setCreating] = useState(false)
  const [made, setMade] = useState<{ clientId: string; clientSecret: string }>()
  const [ending, setEnding] = useState<string>()
  const key = ['reference', 'applications', 'credentials', code]
  const list = useQuery({
    queryKey: key,
    queryFn: async () =>
      (await unwrap(api.GET('/api/applications/{code}/credentials', { params: { path: { code } } }))).items,
  })
  // A credential is part of the application, so the application has another version too.
  const invalidate = () => queryClient.invalidateQueries({ queryKey: ['reference', 'applications'] })
  const end = useMutation({
    mutationFn: (credentialId: string) =>
      unwrap(
        api.DELETE('/api/applications/{code}/credentials/{credentialId}', { params: { path: { code, credentialId } } }),
      ),
    onSuccess: async () => {
      await invalidate()
      setEnding(undefined)
    },
  })
  return (
    <Stack gap="sm" mt="lg" component="section" aria-label="Credentials">
      <Group justify="space-between">
        <Title order={3} size="h4">
          Credentials
        </Title>
        {canWrite && (list.data?.length ?? 0) < 2 && (
          <Button size="compact-sm" variant="light" onClick={() => setCreating(true)}>
            New credential
          </Button>
        )}
      </Group>
      <ProblemAlert error={list.error} />
      <Text size="sm" c="dimmed">
        {list.data?.length === 0
          ? 'None yet. The application needs one to ask for tokens and about them.'
          : 'At most two. To replace one, create the second, change the application to it, then end the first.'}
      </Text>
      {list.data?.map((c) => (
        <Group key={c.id} justify="space-between">
          <Text size="sm">
            Created <Instant at={c.createdAt} /> by {c.createdBy}
          </Text>
          {canWrite && (
            <Button size="compact-sm" variant="light" color="red" onClick={() => setEnding(c.id)}>
              End
            </Button>
          )}
        </Group>
      ))}
      {creating && (
        <ConfirmDialog
          title="New credential"
          confirmLabel="Create"
          onClose={() => setCreating(false)}
          action={() =>
            unwrap(
              api.POST('/api/applications/{code}/credentials', {
                params: { path: { code }, header: idempotencyKey() },
                body: {},
              }),
            )
          }
          onSuccess={(answer) => {
            setCreating(false)
            setMade(answer)
            void invalidate()
          }}
        >
          <Text size="sm">Whoever has the credential can act as {code}. The secret is shown once.</Text>
        </ConfirmDialog>
      )}
      {made && (
        <Dialog
          onClose={() => setMade(undefined)}
          title="New credential"
          closeOnClickOutside={false}
          closeOnEscape={false}
        >
          <Stack>
            <Text size="sm">
              Client id: <b>{made.clientId}</b>
            </Text>
            <OneTimeSecret label="Client secret" value={made.clientSecret} />
            <Group justify="flex-end">
              <Button onClick={() => setMade(undefined)}>Done</Button>
            </Group>
          </Stack>
        </Dialog>
      )}
      {ending !== undefined && (
        <ActionDialog
          title="End the credential"
          confirmLabel="End"
          danger
          busy={end.isPending}
          error={end.error}
          onClose={() => setEnding(undefined)}
          onConfirm={() => end.mutate(ending)}
        >
          <Text size="sm">The next request with it is refused. This cannot be undone.</Text>
        </ActionDialog>
      )}
    </Stack>
  )
}
