import { Button, Stack, Text } from '@mantine/core'
import { useEffect, useState } from 'react'
import { Link, useNavigate } from 'react-router'
import { api, unwrap } from '../api/client'
import type { Schemas } from '../api/client'
import { queryClient } from '../api/queryClient'
import type { LoginStep } from '../api/transport'
import { startSession } from '../api/transport'
import { Loading } from '../common/Loading'
import { ProblemAlert } from '../common/ProblemAlert'
import { storeDirectory } from '../sso/directory'
import { takeRedirect } from './providerRedirect'
import type { ProviderRedirect } from './providerRedirect'
import { SignInLayout } from './SignInLayout'
import { SignIn } from './SignInPage'

interface ProviderReturn {
  redirect: ProviderRedirect
  body: Schemas['SsoReturn']
}

let pendingReturn: ProviderReturn | undefined

/** Takes the provider's answer from the address bar and removes it from there and from the history at once. */
function takeReturn(): ProviderReturn | undefined {
  const query = new URLSearchParams(window.location.search)
  const state = query.get('state')
  if (state) {
    const [code, error] = [query.get('code'), query.get('error')]
    pendingReturn = {
      redirect: takeRedirect(),
      body: { state, ...(code && { code }), ...(error && !code && { error }) },
    }
    window.history.replaceState(window.history.state, '', window.location.pathname)
  }
  return pendingReturn
}

/** The redirect URI: finishes signing in, linking an identity, or signing in to a directory. */
export function SsoCallbackPage() {
  const navigate = useNavigate()
  const [current] = useState(takeReturn)
  const [step, setStep] = useState<LoginStep>()
  const [error, setError] = useState<unknown>()
  useEffect(() => {
    if (!current || pendingReturn !== current) return
    pendingReturn = undefined
    const body = current.body
    const finish = async () => {
      switch (current.redirect.purpose) {
        case 'link':
          await unwrap(api.POST('/api/me/links/return', { body }))
          void queryClient.invalidateQueries({ queryKey: ['me', 'links'] })
          return navigate(current.redirect.back ?? '/me', { replace: true })
        case 'directory':
          storeDirectory(await unwrap(api.POST('/api/sso/directory/return', { body })))
          return navigate(current.redirect.back ?? '/', { replace: true })
        default: {
          const next = await unwrap(api.POST('/api/sso/return', { body }))
          if (next.next !== 'done') return setStep(next)
          startSession(next)
          return navigate(current.redirect.back ?? '/', { replace: true })
        }
      }
    }
    finish().catch(setError)
  }, [current, navigate])
  if (step)
    return <SignIn state={{ ...(current?.redirect.back && { back: current.redirect.back }) }} firstStep={step} />
  const back = current && current.redirect.purpose !== 'signIn' ? (current.redirect.back ?? '/') : '/sign-in'
  return (
    <SignInLayout title="Single sign-on">
      {error || !current ? (
        <Stack>
          {error ? <ProblemAlert error={error} /> : 'The sign-in was not completed. Start again from the sign-in page.'}
          {error !== undefined && current?.redirect.purpose === 'signIn' && (
            <Text size="sm">
              You can sign in with a provider only once it is linked to your account. Until then, sign in with your
              password and link it under My account, or ask your administrator.
            </Text>
          )}
          <Button component={Link} to={back} replace>
            Back
          </Button>
        </Stack>
      ) : (
        <Loading label="Signing in" />
      )}
    </SignInLayout>
  )
}
