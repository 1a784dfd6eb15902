import { IconLock } from '@tabler/icons-react'
import { StatusMessage } from './StatusMessage'

export function NoPermission({ permission }: { permission: string }) {
  return (
    <StatusMessage icon={IconLock} title="You do not have access to this page" order={1}>
      You need the permission <code>{permission}</code>. Ask an administrator for a role that includes it.
    </StatusMessage>
  )
}
