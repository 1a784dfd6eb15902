import { useQuery } from '@tanstack/react-query'
import { api, unwrap } from '../api/client'
import type { Schemas } from '../api/client'
import { queryClient } from '../api/queryClient'
import { endSession, mayBeSignedIn } from '../api/transport'

export type Me = Schemas['SessionsMe']

const meKey = ['me']

/** Reads who is signed in; the error has status 401 if no one is. */
export function useMeQuery() {
  return useQuery({
    queryKey: meKey,
    queryFn: () => unwrap(api.GET('/api/me')),
    staleTime: 60_000,
    enabled: mayBeSignedIn(),
  })
}

/** The user who is signed in, on pages within the shell. */
export function useMe(): Me {
  const me = queryClient.getQueryData<Me>(meKey)
  if (!me) throw new Error('this page is outside the shell')
  return me
}

/** Tells whether the user has a permission. The API enforces it; pages only hide what would be refused. */
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
