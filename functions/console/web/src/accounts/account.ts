import { useQuery } from '@tanstack/react-query'
import { api, unwrap } from '../api/client'
import type { Schemas } from '../api/client'
import { queryClient } from '../api/queryClient'
import type { Field, Value } from '../fields/fields'

export type Account = Schemas['Account']

export const accountKey = (id: string) => ['account', id]

export function useAccount(id: string) {
  return useQuery({ queryKey: accountKey(id), queryFn: () => fetchAccount(id) })
}

export const fetchAccount = (id: string) => unwrap(api.GET('/api/accounts/{id}', { params: { path: { id } } }))

/** Updates the cache after a change; lists and tabs are read again when shown. */
export function updateAccountCache(id: string, account?: Account) {
  if (account) queryClient.setQueryData(accountKey(id), account)
  else void queryClient.invalidateQueries({ queryKey: accountKey(id) })
  void queryClient.invalidateQueries({ queryKey: ['accounts'] })
  void queryClient.invalidateQueries({ queryKey: ['tab', id] })
}

export const fieldValue = (account: Account, field: Field): Value =>
  (account as unknown as Record<string, Value>)[field.name]

export const accountName = (account: Account) => account.name || account.username || 'this account'
