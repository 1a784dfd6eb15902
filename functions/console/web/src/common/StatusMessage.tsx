import { Stack, Text, ThemeIcon, Title } from '@mantine/core'
import type { TablerIcon } from '@tabler/icons-react'
import type { ReactNode } from 'react'

/** Shown in place of a page or list: empty, not found, not permitted, failed. */
export function StatusMessage({
  icon: Icon,
  title,
  children,
  colour = 'gray',
  order = 2,
}: {
  icon: TablerIcon
  title: string
  children?: ReactNode
  colour?: string
  order?: 1 | 2 | 3
}) {
  return (
    <Stack align="center" gap="sm" py={48} px="md" ta="center">
      <ThemeIcon variant="light" color={colour} size={56} radius="xl" aria-hidden>
        <Icon size={30} stroke={1.6} />
      </ThemeIcon>
      <Title order={order} size="h3">
        {title}
      </Title>
      <Text c="dimmed" maw={460} component="div">
        {children}
      </Text>
    </Stack>
  )
}
