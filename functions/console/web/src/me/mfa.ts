import { useQuery } from '@tanstack/react-query'
import { api, ask } from '../api/client'
import { queries } from '../api/queries'

const key = ['me', 'mfa']

export const useMfa = () => useQuery({ queryKey: key, queryFn: () => ask(api.GET('/api/me/mfa')) })

export const mfaChanged = () => queries.invalidateQueries({ queryKey: key })
