import { useQuery } from '@tanstack/react-query'
import { api, ask } from '../api/client'

/** The providers that people can sign in by, and what they are called. */
export function useProviderNames() {
  const choices =
    useQuery({
      queryKey: ['sso choices'],
      queryFn: () => ask(api.GET('/api/sso/providers')),
      staleTime: 60_000,
      retry: false,
    }).data?.items ?? []
  return { choices, nameOf: (id: string) => choices.find((c) => c.id === id)?.name ?? 'a provider that is turned off' }
}
