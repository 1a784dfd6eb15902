import { useQuery } from '@tanstack/react-query'
import { api, unwrap } from '../api/client'
import type { Schemas } from '../api/client'
import { queryClient } from '../api/queryClient'
import { endSession, mayBeSignedIn } from '../api/transport'

export type Me = Schemas['SessionsMe']

const meKey = ['me']

/** Who is signed in; an error of status 401 says nobody. */
export function useMeQuery() {
  return useQuery({
    queryKey: meKey,
    queryFn: () => unwrap(api.GET('/api/me')),
    staleTime: 60_000,
    enabled: mayBeSignedIn(),
  })
}

/** The person signed in, on pages within the shell. */
export function useMe(): Me {
  const me = queryClient.getQueryData<Me>(meKey)
  if (!me) throw new Error('this page is outside the shell')
  return me
}

/** Tells whether the person signed in holds a permission. The service decides in the end; the page only spares people the way. */
export function useHasPermission(): (permission: string) => boolean {
  const { permissions } = useMe()
  return (permission) => permissions.includes(permission)
}

export async function signOut() {
  try {
    await unwrap(api.POST('/api/logout'))
  } finally {
    endSession()
    queryClient.clear()
  }
}
