import { Button, Divider, Stack } from '@mantine/core'
import { IconBrandGoogle, IconBrandWindows, IconFingerprint, IconLogin2 } from '@tabler/icons-react'
import { useMutation, useQuery } from '@tanstack/react-query'
import { api, unwrap } from '../api/client'
import type { LoginStep } from '../api/transport'
import { ProblemAlert } from '../common/ProblemAlert'
import { passkeysSupported, getPasskeyAssertion } from '../passkeys/passkey'
import { redirectToProvider } from './providerRedirect'

const icons: Record<string, typeof IconLogin2> = { azure: IconBrandWindows, google: IconBrandGoogle }

/** The sign-in methods besides the password: passkey and providers. */
export function AlternativeSignIn({ back, onNext }: { back?: string | undefined; onNext: (next: LoginStep) => void }) {
  const providers = useQuery({
    queryKey: ['sso choices'],
    queryFn: () => unwrap(api.GET('/api/sso/providers')),
    staleTime: 60_000,
    retry: false,
  })
  const redirect = useMutation({
    mutationFn: async (id: string) =>
      redirectToProvider(
        await unwrap(
          api.POST('/api/sso/providers/{id}/depart', { params: { path: { id } }, body: { client: 'Web console' } }),
        ),
        { purpose: 'signIn', back },
      ),
  })
  const passkey = useMutation({
    mutationFn: async () => {
      const { publicKey } = await unwrap(api.POST('/api/login/passkey/begin', { body: {} }))
      return unwrap(
        api.POST('/api/login/passkey', {
          body: { credential: await getPasskeyAssertion(publicKey), client: 'Web console' },
        }),
      )
    },
    onSuccess: onNext,
  })
  const items = providers.data?.items ?? []
  if (items.length === 0 && !passkeysSupported()) return null // nothing to offer, or the providers could not be read
  return (
    <Stack mt="md">
      <Divider label="or" />
      {passkeysSupported() && (
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
            loading={redirect.isPending && redirect.variables === p.id}
            onClick={() => redirect.mutate(p.id)}
            fullWidth
          >
            Sign in with {p.name}
          </Button>
        )
      })}
      <ProblemAlert error={redirect.error ?? passkey.error} />
    </Stack>
  )
}
