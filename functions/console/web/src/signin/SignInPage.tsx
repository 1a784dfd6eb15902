import { Alert } from '@mantine/core'
import { IconInfoCircle } from '@tabler/icons-react'
import { Suspense, useState } from 'react'
import { Navigate, useLocation, useNavigate } from 'react-router'
import { mayBeSignedIn, opened } from '../api/transport'
import type { Step } from '../api/transport'
import { Loading } from '../common/Loading'
import { Frame } from './Frame'
import { OtherWays } from './OtherWays'
import { PasswordForm } from './PasswordForm'
import { steps } from './steps'

/** What another page hands over to the way in. */
export interface Arrival {
  /** Where to go then. */
  back?: string
  /** The session ended without being asked to. */
  over?: boolean
  /** Said above the form. */
  notice?: string
}

export function SignInPage() {
  return <SignIn arrival={(useLocation().state ?? {}) as Arrival} />
}

/** The way in: the password first, or the step that somebody is at who proved who they are elsewhere; then whatever step the service names next. */
export function SignIn({ arrival, first }: { arrival: Arrival; first?: Step }) {
  const navigate = useNavigate()
  const [step, setStep] = useState(first)
  const [notice, setNotice] = useState(
    arrival.over ? 'Your session is over. Sign in again to go on where you were.' : (arrival.notice ?? ''),
  )
  const [entered] = useState(mayBeSignedIn)

  if (entered) return <Navigate to={arrival.back ?? '/'} replace />

  const taken = (next: Step) => {
    setNotice('')
    if (next.next === 'done') {
      opened(next)
      void navigate(arrival.back ?? '/', { replace: true })
    } else {
      setStep(next)
    }
  }
  const again = (why: string) => {
    setStep(undefined)
    setNotice(why)
  }
  const Current = step && steps[step.next]
  return (
    <Frame title={Current ? Current.title : 'Sign in'}>
      {notice && (
        <Alert role="status" icon={<IconInfoCircle aria-hidden />} mb="md">
          {notice}
        </Alert>
      )}
      {!step && (
        <>
          <PasswordForm done={taken} />
          <OtherWays back={arrival.back} done={taken} />
        </>
      )}
      {step && Current && (
        <Suspense fallback={<Loading />}>
          <Current.Form key={step.ticket} step={step} done={taken} again={again} />
        </Suspense>
      )}
      {step && !Current && (
        <Alert color="red" title="This page is too old">
          It does not know the step “{step.next}”. Load it again.
        </Alert>
      )}
    </Frame>
  )
}
