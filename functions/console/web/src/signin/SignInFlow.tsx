import { Alert } from '@mantine/core'
import { IconInfoCircle } from '@tabler/icons-react'
import { Suspense, useState } from 'react'
import type { ReactNode } from 'react'
import { startSession } from '../api/transport'
import type { LoginStep } from '../api/transport'
import { Loading } from '../common/Loading'
import { AlternativeSignIn } from './AlternativeSignIn'
import { PasswordForm } from './PasswordForm'
import { steps } from './steps'

interface Props {
  /** Where a provider's sign-in comes back to. */
  back?: string | undefined
  /** A message above the form. */
  notice?: string
  firstStep?: LoginStep | undefined
  onDone: () => void
  /** The frame around the form, whose title is that of the step. */
  frame: (title: string, form: ReactNode) => ReactNode
}

/** Signs in: the password, or the first step given, then each step that the API names next. */
export function SignInFlow({ back, notice: firstNotice = '', firstStep, onDone, frame }: Props) {
  const [step, setStep] = useState(firstStep)
  const [notice, setNotice] = useState(firstNotice)
  const [identifier, setIdentifier] = useState('')
  const handleNext = (next: LoginStep) => {
    setNotice('')
    if (next.next === 'done') {
      startSession(next)
      onDone()
    } else {
      setStep(next)
    }
  }
  const restart = (reason: string) => {
    setStep(undefined)
    setNotice(reason)
  }
  const Current = step && steps[step.next]
  return frame(
    Current ? Current.title : 'Sign in',
    <>
      {notice && (
        <Alert role="status" icon={<IconInfoCircle aria-hidden />} mb="md">
          {notice}
        </Alert>
      )}
      {!step && (
        <>
          <PasswordForm identifier={identifier} onIdentifier={setIdentifier} onNext={handleNext} />
          <AlternativeSignIn back={back} onNext={handleNext} />
        </>
      )}
      {step && Current && (
        <Suspense fallback={<Loading />}>
          <Current.Form key={step.ticket} step={step} username={identifier} onNext={handleNext} onRestart={restart} />
        </Suspense>
      )}
      {step && !Current && (
        <Alert color="red" title="This page is out of date">
          Reload it to continue.
        </Alert>
      )}
    </>,
  )
}
