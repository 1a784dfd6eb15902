import { useState } from 'react'
import type { ReactNode, SyntheticEvent } from 'react'
import { LeaveDialog } from './LeaveDialog'
import { UnsavedContext, useUnsavedChanges } from './unsavedChanges'

/**
 * Guards what is typed in a dialog or drawer: its close asks first. Without dirty, any input counts as a change, a
 * search apart.
 */
export function useGuardedClose(onClose: () => void, dirty: boolean | undefined) {
  const [forms] = useState(() => new Set<symbol>())
  const [touched, setTouched] = useState(false)
  const [asking, setAsking] = useState(false)
  const changed = dirty ?? touched
  const release = useUnsavedChanges(changed, 'address')
  const handleInput = ({ target }: SyntheticEvent) => {
    if (target instanceof HTMLInputElement && target.type === 'search') return
    if (target instanceof Element && (target.matches('input, textarea') || target.closest('[role=option]')))
      setTouched(true)
  }
  return {
    close: () => (changed || forms.size > 0 ? setAsking(true) : onClose()),
    // React's events arrive here from the drop-downs in portals too.
    guarded: (children: ReactNode) => (
      <UnsavedContext value={forms}>
        <div
          onChangeCapture={handleInput}
          onClickCapture={(e) => (e.target as Element).closest('[role=option]') && handleInput(e)}
        >
          {children}
        </div>
      </UnsavedContext>
    ),
    question: asking && (
      <LeaveDialog
        onStay={() => setAsking(false)}
        onLeave={() => {
          setAsking(false)
          release()
          onClose()
        }}
      />
    ),
  }
}
