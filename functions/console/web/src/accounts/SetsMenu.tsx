import { Button, Checkbox, Group, Menu, Stack, Text, TextInput } from '@mantine/core'
import { notifications } from '@mantine/notifications'
import { IconBookmark, IconCheck, IconDeviceFloppy, IconPencil, IconStar, IconTrash } from '@tabler/icons-react'
import { useMutation, useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { api, unwrap, ifMatch, idempotencyKey } from '../api/client'
import type { Schemas } from '../api/client'
import { toProblem } from '../api/problem'
import { queryClient } from '../api/queryClient'
import { ActionDialog } from '../common/ActionDialog'
import { Dialog } from '../common/Dialog'
import { ProblemAlert } from '../common/ProblemAlert'
import type { Field } from '../fields/fields'
import { isSameState } from '../grid/gridState'
import type { GridState } from '../grid/gridState'
import { useHasPermission } from '../session/session'
import { gridStateOf } from './useAccountsView'

type SavedSet = Schemas['SettingsSet']

export function useSets() {
  return useQuery({
    queryKey: ['sets', 'accounts'],
    queryFn: async () =>
      (await unwrap(api.GET('/api/sets', { params: { query: { grid: 'accounts', limit: 200 } } }))).items,
  })
}

interface Props {
  sets: SavedSet[]
  fields: Field[]
  state: GridState
  selected: SavedSet | undefined
  onSelect: (set: SavedSet | undefined) => void
}

/** Saved views: select one, save the current view, share it, make it the default. */
export function SetsMenu({ sets, fields, state, selected, onSelect }: Props) {
  const [dialog, setDialog] = useState<'new' | 'edit' | 'delete'>()
  const hasPermission = useHasPermission()
  const changed = selected !== undefined && !isSameState(gridStateOf(selected, fields), state)
  const canEdit = selected && (selected.own || (selected.shared && hasPermission('set.share')))
  const showError = (error: unknown) =>
    notifications.show({ color: 'red', title: toProblem(error).title, message: toProblem(error).message })
  const invalidate = () => queryClient.invalidateQueries({ queryKey: ['sets'] })
  const change = useMutation({
    mutationFn: ({ set, body }: { set: SavedSet; body: Schemas['SettingsChangeSet'] }) =>
      unwrap(api.PATCH('/api/sets/{id}', { params: { path: { id: set.id }, header: ifMatch(set.version) }, body })),
    onSuccess: async (set) => {
      await invalidate()
      notifications.show({ color: 'green', message: `The Set “${set.name}” was saved.` })
    },
    onError: showError,
  })
  const remove = useMutation({
    mutationFn: (set: SavedSet) =>
      unwrap(api.DELETE('/api/sets/{id}', { params: { path: { id: set.id }, header: ifMatch(set.version) } })),
    onSuccess: async (_, set) => {
      setDialog(undefined)
      onSelect(undefined)
      await invalidate()
      notifications.show({ color: 'green', message: `The Set “${set.name}” was deleted.` })
    },
  })
  const item = (set: SavedSet) => (
    <Menu.Item
      key={set.id}
      onClick={() => onSelect(set)}
      leftSection={
        set.id === selected?.id ? <IconCheck size={16} aria-label="Selected" /> : <span style={{ width: 16 }} />
      }
      rightSection={set.default ? <IconStar size={15} aria-label="My default" /> : undefined}
    >
      {set.name}
    </Menu.Item>
  )
  const own = sets.filter((s) => !s.shared)
  const shared = sets.filter((s) => s.shared)
  return (
    <>
      <Menu width={260}>
        <Menu.Target>
          <Button variant="default" leftSection={<IconBookmark size={18} />}>
            {selected ? `${selected.name}${changed ? ' *' : ''}` : 'Sets'}
          </Button>
        </Menu.Target>
        <Menu.Dropdown>
          <Menu.Item
            onClick={() => onSelect(undefined)}
            leftSection={!selected ? <IconCheck size={16} aria-label="Selected" /> : <span style={{ width: 16 }} />}
          >
            All user accounts
          </Menu.Item>
          {own.length > 0 && <Menu.Label>Mine</Menu.Label>}
          {own.map(item)}
          {shared.length > 0 && <Menu.Label>Shared</Menu.Label>}
          {shared.map(item)}
          <Menu.Divider />
          {selected && canEdit && changed && (
            <Menu.Item
              leftSection={<IconDeviceFloppy size={16} />}
              onClick={() =>
                change.mutate({
                  set: selected,
                  body: { columns: state.columns, filters: state.filters, sort: state.sort },
                })
              }
            >
              Save changes to “{selected.name}”
            </Menu.Item>
          )}
          <Menu.Item leftSection={<IconBookmark size={16} />} onClick={() => setDialog('new')}>
            Save as a new Set
          </Menu.Item>
          {selected && (
            <Menu.Item
              leftSection={<IconStar size={16} />}
              onClick={() => change.mutate({ set: selected, body: { default: !selected.default } })}
            >
              {selected.default ? 'Do not use as my default' : 'Use as my default'}
            </Menu.Item>
          )}
          {selected && canEdit && (
            <Menu.Item leftSection={<IconPencil size={16} />} onClick={() => setDialog('edit')}>
              Rename or share
            </Menu.Item>
          )}
          {selected && canEdit && (
            <Menu.Item data-danger leftSection={<IconTrash size={16} />} onClick={() => setDialog('delete')}>
              Delete the Set
            </Menu.Item>
          )}
        </Menu.Dropdown>
      </Menu>
      {dialog === 'delete' && selected && (
        <ActionDialog
          title={`Delete “${selected.name}”`}
          confirmLabel="Delete"
          danger
          busy={remove.isPending}
          error={remove.error}
          onClose={() => setDialog(undefined)}
          onConfirm={() => remove.mutate(selected)}
        >
          <Text size="sm">
            {selected.shared ? 'Everyone who uses this Set loses it.' : 'The Set is deleted.'} The accounts stay.
          </Text>
        </ActionDialog>
      )}
      {(dialog === 'new' || dialog === 'edit') && (
        <SetDialog
          set={dialog === 'edit' ? selected : undefined}
          state={state}
          onClose={() => setDialog(undefined)}
          onSaved={onSelect}
          canShare={hasPermission('set.share')}
        />
      )}
    </>
  )
}

function SetDialog({
  set,
  state,
  onClose,
  onSaved,
  canShare,
}: {
  set: SavedSet | undefined
  state: GridState
  onClose: () => void
  onSaved: (set: SavedSet) => void
  canShare: boolean
}) {
  const [name, setName] = useState(set?.name ?? '')
  const [shared, setShared] = useState(set?.shared ?? false)
  const [isDefault, setIsDefault] = useState(set?.default ?? false)
  const save = useMutation({
    mutationFn: () =>
      set
        ? unwrap(
            api.PATCH('/api/sets/{id}', {
              params: { path: { id: set.id }, header: ifMatch(set.version) },
              body: { name, shared, default: isDefault },
            }),
          )
        : unwrap(
            api.POST('/api/sets', {
              params: { header: idempotencyKey() },
              body: {
                grid: 'accounts',
                name,
                columns: state.columns,
                filters: state.filters,
                sort: state.sort,
                shared,
                default: isDefault,
              },
            }),
          ),
    onSuccess: async (done) => {
      await queryClient.invalidateQueries({ queryKey: ['sets'] })
      onSaved(done)
      onClose()
    },
  })
  return (
    <Dialog onClose={onClose} title={set ? 'Rename or share' : 'Save as a new Set'}>
      <form
        onSubmit={(e) => {
          e.preventDefault()
          save.mutate()
        }}
      >
        <Stack>
          <TextInput
            label="Name"
            data-autofocus
            required
            maxLength={100}
            value={name}
            onChange={(e) => setName(e.currentTarget.value)}
            error={save.error ? toProblem(save.error).messageFor('name') : undefined}
          />
          {canShare && (
            <Checkbox
              label="Shared with everyone"
              checked={shared}
              onChange={(e) => setShared(e.currentTarget.checked)}
              description="Everyone can use it. You, and people who may share Sets, can change it."
            />
          )}
          <Checkbox
            label="Use as my default"
            checked={isDefault}
            onChange={(e) => setIsDefault(e.currentTarget.checked)}
          />
          <ProblemAlert error={save.error} inlineFields={['name']} />
          <Group justify="flex-end">
            <Button variant="default" onClick={onClose}>
              Cancel
            </Button>
            <Button type="submit" loading={save.isPending}>
              Save
            </Button>
          </Group>
        </Stack>
      </form>
    </Dialog>
  )
}
