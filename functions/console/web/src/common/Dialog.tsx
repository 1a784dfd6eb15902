import { Modal } from '@mantine/core'
import type { ModalProps } from '@mantine/core'
import { useEffect, useState } from 'react'
import { lastFocused } from './focus'

/** A dialog that is open while it is there. Who worked by the keyboard is then where they were, or at the page if that is gone. */
export function Dialog(props: Omit<ModalProps, 'opened'>) {
  const [from] = useState(lastFocused)
  useEffect(
    () => () => {
      window.setTimeout(() => {
        if (document.activeElement && document.activeElement !== document.body) return
        const back = from?.isConnected ? from : document.getElementById('main')
        back?.focus({ preventScroll: true })
      })
    },
    [from],
  )
  return <Modal opened {...props} />
}
