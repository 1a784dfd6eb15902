import { QueryClient } from '@tanstack/react-query'
import { toProblem } from './problem'

/** The cache of answers; it is cleared when the session ends. */
export const queryClient = new QueryClient({
  defaultOptions: {
    queries: {
      staleTime: 10_000,
      // A refusal is final; a service that is unavailable for a moment is tried again.
      retry: (count, error) => {
        const { status } = toProblem(error)
        return count < 2 && ((status === 0 && navigator.onLine) || status === 429 || status >= 500)
      },
      // Without a connection it fails and says so, rather than wait and leave what was shown before.
      networkMode: 'always',
    },
    mutations: { retry: false, networkMode: 'always' },
  },
})
