import { Modal } from '@mantine/core'
import type { ModalProps } from '@mantine/core'
import { useEffect, useState } from 'react'
import { lastFocused } from './lastFocused'

/** A dialog that is open while it is rendered. On closing, the focus returns to what opened it, or to the page. */
export function Dialog(props: Omit<ModalProps, 'opened'>) {
  const [opener] = useState(lastFocused)
  useEffect(
    () => () => {
      window.setTimeout(() => {
        if (document.activeElement && document.activeElement !== document.body) return
        const back = opener?.isConnected ? opener : document.getElementById('main')
        back?.focus({ preventScroll: true })
      })
    },
    [opener],
  )
  return <Modal opened {...props} />
}
