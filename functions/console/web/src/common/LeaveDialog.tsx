import { Button, Group, Modal, Stack, Text } from '@mantine/core'

/** Asks before typed work is lost. */
export function LeaveDialog({ onStay, onLeave }: { onStay: () => void; onLeave: () => void }) {
  return (
    <Modal opened onClose={onStay} title="Discard your changes?" zIndex={400} size="sm">
      <Stack>
        <Text size="sm">Your changes are not saved.</Text>
        <Group justify="flex-end">
          <Button variant="default" onClick={onLeave}>
            Discard
          </Button>
          <Button data-autofocus onClick={onStay}>
            Keep editing
          </Button>
        </Group>
      </Stack>
    </Modal>
  )
}
