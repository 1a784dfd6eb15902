import { Anchor } from '@mantine/core'
import { IconMapSearch } from '@tabler/icons-react'
import { Link } from 'react-router'
import { StatusMessage } from './StatusMessage'

export function NotFound({ what = 'page' }: { what?: string }) {
  return (
    <StatusMessage icon={IconMapSearch} title={`There is no such ${what}`} order={1}>
      The address may be mistyped, or it was removed.{' '}
      <Anchor component={Link} to="/">
        Start over
      </Anchor>
    </StatusMessage>
  )
}
