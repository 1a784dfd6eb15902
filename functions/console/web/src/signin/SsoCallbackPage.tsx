import { Button, Stack, Text } from '@mantine/core'
import { useEffect, useState } from 'react'
import { Link, useNavigate } from 'react-router'
import { api, ask } from '../api/client'
import type { Schemas } from '../api/client'
import { queries } from '../api/queries'
import type { Step } from '../api/transport'
import { opened } from '../api/transport'
import { Loading } from '../common/Loading'
import { ProblemAlert } from '../common/ProblemAlert'
import { keepDirectory } from '../sso/directory'
import { returned } from './departure'
import type { Departure } from './departure'
import { Frame } from './Frame'
import { SignIn } from './SignInPage'

interface Came {
  departure: Departure
  sent: Schemas['SsoReturn']
}

let came: Came | undefined

/** What the provider sent back, taken out of the address bar and the history at once; it counts once. */
function take(): Came | undefined {
  const found = new URLSearchParams(window.location.search)
  const state = found.get('state')
  if (state) {
    const [code, error] = [found.get('code'), found.get('error')]
    came = { departure: returned(), sent: { state, ...(code && { code }), ...(error && !code && { error }) } }
    window.history.replaceState(window.history.state, '', window.location.pathname)
  }
  return came
}

/** Where a provider sends people back to: to sign in, to link themselves, or to list a directory. */
export function SsoCallbackPage() {
  const navigate = useNavigate()
  const [here] = useState(take)
  const [step, setStep] = useState<Step>()
  const [error, setError] = useState<unknown>()
  useEffect(() => {
    if (!here || came !== here) return
    came = undefined
    const body = here.sent
    const finish = async () => {
      switch (here.departure.to) {
        case 'link':
          await ask(api.POST('/api/me/links/return', { body }))
          void queries.invalidateQueries({ queryKey: ['me', 'links'] })
          return navigate(here.departure.back ?? '/me', { replace: true })
        case 'directory':
          keepDirectory(await ask(api.POST('/api/sso/directory/return', { body })))
          return navigate(here.departure.back ?? '/', { replace: true })
        default: {
          const next = await ask(api.POST('/api/sso/return', { body }))
          if (next.next !== 'done') return setStep(next)
          opened(next)
          return navigate(here.departure.back ?? '/', { replace: true })
        }
      }
    }
    finish().catch(setError)
  }, [here, navigate])
  if (step) return <SignIn arrival={{ ...(here?.departure.back && { back: here.departure.back }) }} first={step} />
  const back = here && here.departure.to !== 'signIn' ? (here.departure.back ?? '/') : '/sign-in'
  return (
    <Frame title="Single sign-on">
      {error || !here ? (
        <Stack>
          {error ? (
            <ProblemAlert error={error} />
          ) : (
            'Nothing came back from a provider. Start again from the sign-in page.'
          )}
          {error !== undefined && here?.departure.to === 'signIn' && (
            <Text size="sm">
              Only accounts that are linked to the provider come in by it. If yours is not yet, sign in with your
              password and link it under My account, or ask your administrator.
            </Text>
          )}
          <Button component={Link} to={back} replace>
            Back
          </Button>
        </Stack>
      ) : (
        <Loading what="Signing in" />
      )}
    </Frame>
  )
}
