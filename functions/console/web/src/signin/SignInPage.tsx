import { useState } from 'react'
import { Navigate, useLocation, useNavigate } from 'react-router'
import { mayBeSignedIn } from '../api/transport'
import type { LoginStep } from '../api/transport'
import { SignInFlow } from './SignInFlow'
import { SignInLayout } from './SignInLayout'

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

/** The page to sign in. */
export function SignIn({ state, firstStep }: { state: SignInState; firstStep?: LoginStep }) {
  const navigate = useNavigate()
  const [signedIn] = useState(mayBeSignedIn)
  if (signedIn) return <Navigate to={state.back ?? '/'} replace />
  return (
    <SignInFlow
      back={state.back}
      notice={
        state.sessionEnded ? 'Your session has ended. Sign in again to continue where you were.' : (state.notice ?? '')
      }
      firstStep={firstStep}
      onDone={() => void navigate(state.back ?? '/', { replace: true })}
      frame={(title, form) => <SignInLayout title={title}>{form}</SignInLayout>}
    />
  )
}
