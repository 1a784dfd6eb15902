import { Anchor } from '@mantine/core'
import { IconMapSearch } from '@tabler/icons-react'
import { Link } from 'react-router'
import { StatusMessage } from './StatusMessage'

export function NotFound({ what = 'Page' }: { what?: string }) {
  return (
    <StatusMessage icon={IconMapSearch} title={`${what} not found`} order={1}>
      It may have been removed, or the address may be wrong.{' '}
      <Anchor component={Link} to="/">
        Go to the home page
      </Anchor>
    </StatusMessage>
  )
}
