import { Anchor, Modal, Stack } from '@mantine/core'
import { useEffect, useState } from 'react'
import { useLocation, useNavigate } from 'react-router'
import { api, unwrap } from '../api/client'
import { queryClient } from '../api/queryClient'
import { onSessionEnd } from '../api/transport'
import { hasUnsavedChanges } from '../common/unsavedChanges'
import { useMeQuery } from '../session/session'
import { SignInFlow } from '../signin/SignInFlow'
import classes from './Shell.module.css'

/**
 * What happens when the session ends other than by signing out. Without unsaved changes the sign-in page opens. With
 * them it opens over the page, which is covered, and once the same person has signed in, work goes on.
 */
export function useSessionEnd() {
  const me = useMeQuery()
  const location = useLocation()
  const navigate = useNavigate()
  const back = location.pathname + location.search
  const [answer, setAnswer] = useState<(goesOn: boolean) => void>()

  useEffect(() => {
    onSessionEnd(() => {
      if (hasUnsavedChanges() && queryClient.getQueryData(['me']))
        return new Promise<boolean>((resolve) => setAnswer(() => resolve))
      queryClient.clear()
      void navigate('/sign-in', { state: { back, sessionEnded: true }, replace: true })
      return undefined
    })
  }, [navigate, back])

  const leave = (to: string) => {
    answer?.(false)
    setAnswer(undefined)
    queryClient.clear()
    window.location.assign(to)
  }
  const goOn = async () => {
    const now = await unwrap(api.GET('/api/me')).catch(() => undefined)
    if (!now || now.accountId !== me.data?.accountId) return leave('/')
    queryClient.setQueryData(['me'], now)
    answer?.(true)
    setAnswer(undefined)
    void queryClient.invalidateQueries()
  }
  const signIn = answer && (
    <SignInFlow
      back={back}
      notice="Your session has ended. Sign in again to go on with what you typed."
      onDone={() => void goOn()}
      frame={(title, form) => (
        <Modal
          opened
          onClose={() => undefined}
          withCloseButton={false}
          title={title}
          zIndex={1000}
          overlayProps={{ className: classes.cover }}
        >
          <Stack>
            <div>{form}</div>
            <Anchor component="button" size="sm" ta="center" onClick={() => leave('/sign-in')}>
              Discard what you typed and leave
            </Anchor>
          </Stack>
        </Modal>
      )}
    />
  )
  return { ended: answer !== undefined, signIn }
}
