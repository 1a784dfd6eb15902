import { Center, Loader } from '@mantine/core'

export function Loading({ what = 'Loading' }: { what?: string }) {
  return (
    <Center mih={200} role="status" aria-label={what}>
      <Loader />
    </Center>
  )
}
