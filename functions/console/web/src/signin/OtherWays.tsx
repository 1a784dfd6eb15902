import { Button, Divider, Stack } from '@mantine/core'
import { IconBrandGoogle, IconBrandWindows, IconFingerprint, IconLogin2 } from '@tabler/icons-react'
import { useMutation, useQuery } from '@tanstack/react-query'
import { api, ask } from '../api/client'
import type { Step } from '../api/transport'
import { ProblemAlert } from '../common/ProblemAlert'
import { canPasskeys, provePasskey } from '../passkeys/passkey'
import { go } from './departure'

const icons: Record<string, typeof IconLogin2> = { azure: IconBrandWindows, google: IconBrandGoogle }

/** The ways in besides a password, where the environment has any. */
export function OtherWays({ back, done }: { back?: string | undefined; done: (next: Step) => void }) {
  const providers = useQuery({
    queryKey: ['sso choices'],
    queryFn: () => ask(api.GET('/api/sso/providers')),
    staleTime: 60_000,
    retry: false,
  })
  const depart = useMutation({
    mutationFn: async (id: string) =>
      go(
        await ask(
          api.POST('/api/sso/providers/{id}/depart', { params: { path: { id } }, body: { client: 'Web console' } }),
        ),
        { to: 'signIn', back },
      ),
  })
  const passkey = useMutation({
    mutationFn: async () => {
      const { publicKey } = await ask(api.POST('/api/login/passkey/begin', { body: {} }))
      return ask(
        api.POST('/api/login/passkey', { body: { credential: await provePasskey(publicKey), client: 'Web console' } }),
      )
    },
    onSuccess: done,
  })
  const items = providers.data?.items ?? []
  if (items.length === 0 && !canPasskeys()) return null // without them, and while they cannot be listed, the password does
  return (
    <Stack mt="md">
      <Divider label="or" />
      {canPasskeys() && (
        <Button
          variant="default"
          leftSection={<IconFingerprint size={18} aria-hidden />}
          loading={passkey.isPending}
          onClick={() => passkey.mutate()}
          fullWidth
        >
          Sign in with a passkey
        </Button>
      )}
      {items.map((p) => {
        const Icon = icons[p.kind] ?? IconLogin2
        return (
          <Button
            key={p.id}
            variant="default"
            leftSection={<Icon size={18} aria-hidden />}
            loading={depart.isPending && depart.variables === p.id}
            onClick={() => depart.mutate(p.id)}
            fullWidth
          >
            Sign in with {p.name}
          </Button>
        )
      })}
      <ProblemAlert error={depart.error ?? passkey.error} />
    </Stack>
  )
}
