import { IconLock } from '@tabler/icons-react'
import { Message } from './Message'

export function NoPermission({ needs }: { needs: string }) {
  return (
    <Message icon={IconLock} title="This is not for your account" order={1}>
      It takes the permission <code>{needs}</code>. Ask an administrator for a role that has it.
    </Message>
  )
}
