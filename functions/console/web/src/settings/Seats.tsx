import { Text } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { api, unwrap } from '../api/client'
import type { Schemas } from '../api/client'
import { useHasPermission } from '../session/session'
import classes from './Settings.module.css'

type SeatCount = Schemas['AccountsSeat']

/** How many accounts hold each licence. */
export function useSeats(enabled: boolean): SeatCount[] | undefined {
  const hasPermission = useHasPermission()
  return useQuery({
    queryKey: ['accounts', 'seats'],
    queryFn: async () => (await unwrap(api.GET('/api/accounts/seats'))).items,
    enabled: enabled && hasPermission('account.read'),
  }).data
}

/** The seats of one licence: used and total. */
export function Seats({ seat }: { seat: SeatCount | undefined }) {
  if (!seat)
    return (
      <Text span inherit c="dimmed" aria-label="not known">
        –
      </Text>
    )
  return (
    <div className={classes.seats}>
      <Text span inherit>
        {seat.used.toLocaleString()} {seat.seats ? `of ${seat.seats.toLocaleString()}` : 'used, no limit'}
      </Text>
      {seat.seats ? (
        <meter
          min={0}
          max={seat.seats}
          high={seat.seats * 0.9}
          value={seat.used}
          aria-label={`Seats of ${seat.licence}`}
        />
      ) : null}
    </div>
  )
}
