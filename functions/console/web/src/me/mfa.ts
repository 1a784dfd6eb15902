import { useQuery } from '@tanstack/react-query'
import { api, unwrap } from '../api/client'
import { queryClient } from '../api/queryClient'

const key = ['me', 'mfa']

export const useMfa = () => useQuery({ queryKey: key, queryFn: () => unwrap(api.GET('/api/me/mfa')) })

export const invalidateMfa = () => queryClient.invalidateQueries({ queryKey: key })
