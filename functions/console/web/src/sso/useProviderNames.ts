import { useQuery } from '@tanstack/react-query'
import { api, unwrap } from '../api/client'

/** The enabled providers, and their names by id. */
export function useProviderNames() {
  const providers =
    useQuery({
      queryKey: ['sso choices'],
      queryFn: () => unwrap(api.GET('/api/sso/providers')),
      staleTime: 60_000,
      retry: false,
    }).data?.items ?? []
  return {
    choices: providers,
    nameOf: (id: string) => providers.find((c) => c.id === id)?.name ?? 'a disabled provider',
  }
}
