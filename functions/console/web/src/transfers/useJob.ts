import { useQuery } from '@tanstack/react-query'
import { api, ask } from '../api/client'
import { hasEnded, jobKey, pause } from './job'

/** A job, looked at again until it has ended. */
export function useJob(id: string) {
  return useQuery({
    queryKey: jobKey(id),
    queryFn: () => ask(api.GET('/api/jobs/{id}', { params: { path: { id } } })),
    refetchInterval: (query) =>
      query.state.error || (query.state.data && hasEnded(query.state.data))
        ? false
        : pause(query.state.dataUpdateCount),
  })
}
