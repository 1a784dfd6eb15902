import { QueryClient } from '@tanstack/react-query'
import { toProblem } from './problem'

/** What is known of the service's answers; everything in it goes when the session does. */
export const queryClient = new QueryClient({
  defaultOptions: {
    queries: {
      staleTime: 10_000,
      // A refusal stays one; a service that is away for a moment is asked again.
      retry: (count, error) => {
        const { status } = toProblem(error)
        return count < 2 && (status === 0 || status === 429 || status >= 500)
      },
    },
    mutations: { retry: false },
  },
})
