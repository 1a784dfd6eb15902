import { IconLock } from '@tabler/icons-react'
import { StatusMessage } from './StatusMessage'

export function NoPermission({ permission }: { permission: string }) {
  return (
    <StatusMessage icon={IconLock} title="This is not for your account" order={1}>
      It takes the permission <code>{permission}</code>. Ask an administrator for a role that has it.
    </StatusMessage>
  )
}
