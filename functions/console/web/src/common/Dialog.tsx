import { Modal } from '@mantine/core'
import type { ModalProps } from '@mantine/core'
import { useEffect, useState } from 'react'
import { lastFocused } from './lastFocused'
import { useGuardedClose } from './useGuardedClose'

interface Props extends Omit<ModalProps, 'opened'> {
  /** Whether closing it would lose something; without it, any input counts. */
  dirty?: boolean | undefined
}

/**
 * A dialog that is open while it is rendered. On closing, the focus returns to what opened it, or to the page. Escape
 * and a click outside ask first if something was typed.
 */
export function Dialog({ dirty, onClose, children, ...props }: Props) {
  const [opener] = useState(lastFocused)
  const { close, guarded, question } = useGuardedClose(onClose, dirty)
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
  return (
    <>
      <Modal opened onClose={close} {...props}>
        {guarded(children)}
      </Modal>
      {question}
    </>
  )
}
