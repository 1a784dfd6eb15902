import { Text } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { api, ask } from '../api/client'
import type { Schemas } from '../api/client'
import { useMay } from '../session/session'
import classes from './Settings.module.css'

type Seat = Schemas['AccountsSeat']

/** How many accounts hold each licence. */
export function useSeats(wanted: boolean): Seat[] | undefined {
  const may = useMay()
  return useQuery({
    queryKey: ['accounts', 'seats'],
    queryFn: async () => (await ask(api.GET('/api/accounts/seats'))).items,
    enabled: wanted && may('account.read'),
  }).data
}

/** The seats of one licence, used and in all. */
export function Seats({ of }: { of: Seat | undefined }) {
  if (!of)
    return (
      <Text span inherit c="dimmed" aria-label="not known">
        –
      </Text>
    )
  return (
    <div className={classes.seats}>
      <Text span inherit>
        {of.used.toLocaleString()} {of.seats ? `of ${of.seats.toLocaleString()}` : 'used, no limit'}
      </Text>
      {of.seats ? (
        <meter min={0} max={of.seats} high={of.seats * 0.9} value={of.used} aria-label={`Seats of ${of.licence}`} />
      ) : null}
    </div>
  )
}
