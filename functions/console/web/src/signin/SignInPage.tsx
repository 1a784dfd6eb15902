import { Alert } from '@mantine/core'
import { IconInfoCircle } from '@tabler/icons-react'
import { Suspense, useState } from 'react'
import { Navigate, useLocation, useNavigate } from 'react-router'
import { mayBeSignedIn, startSession } from '../api/transport'
import type { LoginStep } from '../api/transport'
import { Loading } from '../common/Loading'
import { AlternativeSignIn } from './AlternativeSignIn'
import { PasswordForm } from './PasswordForm'
import { SignInLayout } from './SignInLayout'
import { steps } from './steps'

/** The router state with which other pages lead to the sign-in page. */
export interface SignInState {
  /** Where to go after signing in. */
  back?: string
  /** The session ended other than by signing out. */
  sessionEnded?: boolean
  /** A message above the form. */
  notice?: string
}

export function SignInPage() {
  return <SignIn state={(useLocation().state ?? {}) as SignInState} />
}

/** Signs in: the password, or the first step given, then each step that the API names next. */
export function SignIn({ state, firstStep }: { state: SignInState; firstStep?: LoginStep }) {
  const navigate = useNavigate()
  const [step, setStep] = useState(firstStep)
  const [notice, setNotice] = useState(
    state.sessionEnded ? 'Your session has ended. Sign in again to continue where you were.' : (state.notice ?? ''),
  )
  const [signedIn] = useState(mayBeSignedIn)

  if (signedIn) return <Navigate to={state.back ?? '/'} replace />

  const handleNext = (next: LoginStep) => {
    setNotice('')
    if (next.next === 'done') {
      startSession(next)
      void navigate(state.back ?? '/', { replace: true })
    } else {
      setStep(next)
    }
  }
  const restart = (reason: string) => {
    setStep(undefined)
    setNotice(reason)
  }
  const Current = step && steps[step.next]
  return (
    <SignInLayout title={Current ? Current.title : 'Sign in'}>
      {notice && (
        <Alert role="status" icon={<IconInfoCircle aria-hidden />} mb="md">
          {notice}
        </Alert>
      )}
      {!step && (
        <>
          <PasswordForm onNext={handleNext} />
          <AlternativeSignIn back={state.back} onNext={handleNext} />
        </>
      )}
      {step && Current && (
        <Suspense fallback={<Loading />}>
          <Current.Form key={step.ticket} step={step} onNext={handleNext} onRestart={restart} />
        </Suspense>
      )}
      {step && !Current && (
        <Alert color="red" title="This page is out of date">
          Reload it to continue.
        </Alert>
      )}
    </SignInLayout>
  )
}
