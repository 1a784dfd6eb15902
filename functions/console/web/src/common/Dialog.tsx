import { Modal } from '@mantine/core'
import type { ModalProps } from '@mantine/core'
import { useEffect, useState } from 'react'

/** What has the focus, or, of an entry of a menu, which goes with its menu, the button of that. */
function opener(): HTMLElement | null {
  const at = document.activeElement
  const menu = at?.closest('[role=menu]')?.getAttribute('aria-labelledby')
  return menu ? document.getElementById(menu) : at instanceof HTMLElement ? at : null
}

/** A dialog that is open while it is there. Who worked by the keyboard is then where they were, or at the page if that is gone. */
export function Dialog(props: Omit<ModalProps, 'opened'>) {
  const [from] = useState(opener)
  useEffect(() => () => {
    window.setTimeout(() => {
      if (document.activeElement && document.activeElement !== document.body) return
      const back = from?.isConnected && from !== document.body ? from : document.getElementById('main')
      back?.focus({ preventScroll: true })
    })
  }, [from])
  return <Modal opened {...props} />
}
