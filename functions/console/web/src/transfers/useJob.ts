import { useQuery } from '@tanstack/react-query'
import { api, unwrap } from '../api/client'
import { hasEnded, jobKey, pollInterval } from './job'

/** A job, polled until it has ended. */
export function useJob(id: string) {
  return useQuery({
    queryKey: jobKey(id),
    queryFn: () => unwrap(api.GET('/api/jobs/{id}', { params: { path: { id } } })),
    refetchInterval: (query) =>
      query.state.error || (query.state.data && hasEnded(query.state.data))
        ? false
        : pollInterval(query.state.dataUpdateCount),
  })
}
