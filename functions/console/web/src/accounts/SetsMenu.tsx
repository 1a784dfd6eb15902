import { Button, Checkbox, Group, Menu, Stack, TextInput } from '@mantine/core'
import { notifications } from '@mantine/notifications'
import { IconBookmark, IconCheck, IconDeviceFloppy, IconPencil, IconStar, IconTrash } from '@tabler/icons-react'
import { useMutation, useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { api, ask, ifMatch, once } from '../api/client'
import type { Schemas } from '../api/client'
import { asProblem } from '../api/problem'
import { queries } from '../api/queries'
import { Dialog } from '../common/Dialog'
import { ProblemAlert } from '../common/ProblemAlert'
import type { Field } from '../fields/fields'
import { sameState } from '../grid/state'
import type { GridState } from '../grid/state'
import { useMay } from '../session/session'
import { stateOf } from './useView'

type SavedSet = Schemas['SettingsSet']

export function useSets() {
  return useQuery({
    queryKey: ['sets', 'accounts'],
    queryFn: async () =>
      (await ask(api.GET('/api/sets', { params: { query: { grid: 'accounts', limit: 200 } } }))).items,
  })
}

interface Props {
  sets: SavedSet[]
  fields: Field[]
  state: GridState
  chosen: SavedSet | undefined
  choose: (set: SavedSet | undefined) => void
}

/** Saved views: choose one, save what is shown, share it, start with it. */
export function SetsMenu({ sets, fields, state, chosen, choose }: Props) {
  const [dialog, setDialog] = useState<'new' | 'edit'>()
  const may = useMay()
  const changed = chosen !== undefined && !sameState(stateOf(chosen, fields), state)
  const mayChange = chosen && (chosen.own || (chosen.shared && may('set.share')))
  const fail = (error: unknown) =>
    notifications.show({ color: 'red', title: asProblem(error).title, message: asProblem(error).message })
  const again = () => queries.invalidateQueries({ queryKey: ['sets'] })
  const change = useMutation({
    mutationFn: ({ set, body }: { set: SavedSet; body: Schemas['SettingsChangeSet'] }) =>
      ask(api.PATCH('/api/sets/{id}', { params: { path: { id: set.id }, header: ifMatch(set.version) }, body })),
    onSuccess: again,
    onError: fail,
  })
  const remove = useMutation({
    mutationFn: (set: SavedSet) =>
      ask(api.DELETE('/api/sets/{id}', { params: { path: { id: set.id }, header: ifMatch(set.version) } })),
    onSuccess: () => {
      choose(undefined)
      return again()
    },
    onError: fail,
  })
  const item = (set: SavedSet) => (
    <Menu.Item
      key={set.id}
      onClick={() => choose(set)}
      leftSection={set.id === chosen?.id ? <IconCheck size={16} aria-label="Chosen" /> : <span style={{ width: 16 }} />}
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
            {chosen ? `${chosen.name}${changed ? ' *' : ''}` : 'Sets'}
          </Button>
        </Menu.Target>
        <Menu.Dropdown>
          <Menu.Item
            onClick={() => choose(undefined)}
            leftSection={!chosen ? <IconCheck size={16} aria-label="Chosen" /> : <span style={{ width: 16 }} />}
          >
            All user accounts
          </Menu.Item>
          {own.length > 0 && <Menu.Label>Mine</Menu.Label>}
          {own.map(item)}
          {shared.length > 0 && <Menu.Label>Shared</Menu.Label>}
          {shared.map(item)}
          <Menu.Divider />
          {chosen && mayChange && changed && (
            <Menu.Item
              leftSection={<IconDeviceFloppy size={16} />}
              onClick={() =>
                change.mutate({
                  set: chosen,
                  body: { columns: state.columns, filters: state.filters, sort: state.sort },
                })
              }
            >
              Save changes of “{chosen.name}”
            </Menu.Item>
          )}
          <Menu.Item leftSection={<IconBookmark size={16} />} onClick={() => setDialog('new')}>
            Save as a new Set
          </Menu.Item>
          {chosen && (
            <Menu.Item
              leftSection={<IconStar size={16} />}
              onClick={() => change.mutate({ set: chosen, body: { default: !chosen.default } })}
            >
              {chosen.default ? 'Do not start with it' : 'Start with it'}
            </Menu.Item>
          )}
          {chosen && mayChange && (
            <Menu.Item leftSection={<IconPencil size={16} />} onClick={() => setDialog('edit')}>
              Rename or share
            </Menu.Item>
          )}
          {chosen && mayChange && (
            <Menu.Item data-danger leftSection={<IconTrash size={16} />} onClick={() => remove.mutate(chosen)}>
              Delete the Set
            </Menu.Item>
          )}
        </Menu.Dropdown>
      </Menu>
      {dialog && (
        <SetDialog
          set={dialog === 'edit' ? chosen : undefined}
          state={state}
          close={() => setDialog(undefined)}
          saved={choose}
          mayShare={may('set.share')}
        />
      )}
    </>
  )
}

function SetDialog({
  set,
  state,
  close,
  saved,
  mayShare,
}: {
  set: SavedSet | undefined
  state: GridState
  close: () => void
  saved: (set: SavedSet) => void
  mayShare: boolean
}) {
  const [name, setName] = useState(set?.name ?? '')
  const [shared, setShared] = useState(set?.shared ?? false)
  const [standard, setStandard] = useState(set?.default ?? false)
  const save = useMutation({
    mutationFn: () =>
      set
        ? ask(
            api.PATCH('/api/sets/{id}', {
              params: { path: { id: set.id }, header: ifMatch(set.version) },
              body: { name, shared, default: standard },
            }),
          )
        : ask(
            api.POST('/api/sets', {
              params: { header: once() },
              body: {
                grid: 'accounts',
                name,
                columns: state.columns,
                filters: state.filters,
                sort: state.sort,
                shared,
                default: standard,
              },
            }),
          ),
    onSuccess: async (done) => {
      await queries.invalidateQueries({ queryKey: ['sets'] })
      saved(done)
      close()
    },
  })
  return (
    <Dialog onClose={close} title={set ? 'Rename or share' : 'Save as a new Set'}>
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
            error={save.error ? asProblem(save.error).of('name') : undefined}
          />
          {mayShare && (
            <Checkbox
              label="Shared with everybody"
              checked={shared}
              onChange={(e) => setShared(e.currentTarget.checked)}
              description="Others can choose it; you and those who may share can change it."
            />
          )}
          <Checkbox label="Start with it" checked={standard} onChange={(e) => setStandard(e.currentTarget.checked)} />
          <ProblemAlert error={save.error} shown={['name']} />
          <Group justify="flex-end">
            <Button variant="default" onClick={close}>
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
