import { useQuery } from '@tanstack/react-query'
import { api, ask } from '../api/client'
import type { Schemas } from '../api/client'
import { queries } from '../api/queries'
import type { Field, Value } from '../fields/fields'

export type Account = Schemas['Account']

export const accountKey = (id: string) => ['account', id]

export function useAccount(id: string) {
  return useQuery({ queryKey: accountKey(id), queryFn: () => readAccount(id) })
}

export const readAccount = (id: string) => ask(api.GET('/api/accounts/{id}', { params: { path: { id } } }))

/** Takes in an account that a change answered with; lists and logs are read again when they are looked at. */
export function refreshed(id: string, account?: Account) {
  if (account) queries.setQueryData(accountKey(id), account)
  else void queries.invalidateQueries({ queryKey: accountKey(id) })
  void queries.invalidateQueries({ queryKey: ['accounts'] })
  void queries.invalidateQueries({ queryKey: ['tab', id] })
}

export const valueOf = (account: Account, field: Field): Value =>
  (account as unknown as Record<string, Value>)[field.name]

export const nameOf = (account: Account) => account.name || account.username || 'this account'
