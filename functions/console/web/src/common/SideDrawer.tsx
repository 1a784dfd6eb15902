import { Drawer } from '@mantine/core'
import type { DrawerProps } from '@mantine/core'
import { useGuardedClose } from './useGuardedClose'

/** A drawer that is open while it is rendered. Closing it asks first if a form within has unsaved changes. */
export function SideDrawer({ onClose, children, ...props }: Omit<DrawerProps, 'opened'>) {
  const { close, guarded, question } = useGuardedClose(onClose, false)
  return (
    <>
      <Drawer opened position="right" size="lg" onClose={close} {...props}>
        {guarded(children)}
      </Drawer>
      {question}
    </>
  )
}
