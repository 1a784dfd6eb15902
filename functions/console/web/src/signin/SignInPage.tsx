import { Alert, Paper, Title } from '@mantine/core'
import { IconInfoCircle } from '@tabler/icons-react'
import { Suspense, useEffect, useState } from 'react'
import { Navigate, useLocation, useNavigate } from 'react-router'
import { mayBeSignedIn, opened } from '../api/transport'
import type { Step } from '../api/transport'
import { Loading } from '../common/Loading'
import { PasswordForm } from './PasswordForm'
import { steps } from './steps'
import classes from './SignIn.module.css'

interface Arrival {
  back?: string
  over?: boolean
}

/** The way in: the password first, then whatever step the service names next, until the session is open. */
export function SignInPage() {
  const arrival = (useLocation().state ?? {}) as Arrival
  const navigate = useNavigate()
  const [step, setStep] = useState<Step>()
  const [notice, setNotice] = useState(arrival.over ? 'Your session is over. Sign in again to go on where you were.' : '')
  const [entered] = useState(mayBeSignedIn)

  useEffect(() => {
    document.title = 'Sign in · User Accounts'
  }, [])

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
    <main className={classes.page}>
      <div className={classes.column}>
        <div className={classes.brand}>
          <img src="/icon.svg" alt="" width={44} height={44} />
          <Title order={1} size="h2">{Current ? Current.title : 'Sign in'}</Title>
        </div>
        <Paper className={classes.card} withBorder shadow="sm">
          {notice && <Alert role="status" icon={<IconInfoCircle aria-hidden />} mb="md">{notice}</Alert>}
          {!step && <PasswordForm done={taken} />}
          {step && Current && <Suspense fallback={<Loading />}><Current.Form step={step} done={taken} again={again} /></Suspense>}
          {step && !Current && (
            <Alert color="red" title="This page is too old">It does not know the step “{step.next}”. Load it again.</Alert>
          )}
        </Paper>
      </div>
    </main>
  )
}
