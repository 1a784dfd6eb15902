import { Badge, Button, Checkbox, Drawer, Group, Skeleton, Stack, Text } from '@mantine/core'
import { notifications } from '@mantine/notifications'
import { useMutation, useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import type { FormEvent } from 'react'
import { Link } from 'react-router'
import { asProblem } from '../api/problem'
import { queries } from '../api/queries'
import { ActionDialog } from '../common/ActionDialog'
import { ConflictDialog } from '../common/ConflictDialog'
import { ProblemAlert } from '../common/ProblemAlert'
import { FieldFacts, FieldForm } from '../fields/FieldForm'
import type { Field, Value } from '../fields/fields'
import type { Kind } from './kinds'
import classes from './Settings.module.css'
import type { Entry, Store, Values } from './store'

interface Props {
  kind: Kind
  store: Store
  fields: Field[]
  /** The code of what is shown; none for a new one. */
  code: string | undefined
  write: boolean
  close: () => void
}

/** One entry: to look at, to change, to lock, to delete; or a new one. */
export function EntryDrawer({ kind, store, fields, code, write, close }: Props) {
  const read = useQuery({
    queryKey: ['reference', kind.kind, 'one', code],
    queryFn: () => store.read(code ?? ''),
    enabled: code !== undefined,
  })
  return (
    <Drawer
      opened
      onClose={close}
      position="right"
      size="lg"
      title={code === undefined ? `New ${kind.one}` : `${kind.one.charAt(0).toUpperCase()}${kind.one.slice(1)} ${code}`}
    >
      <ProblemAlert error={read.error} />
      {code !== undefined && read.isPending && (
        <Stack>
          <Skeleton h={60} />
          <Skeleton h={200} />
        </Stack>
      )}
      {code === undefined && <Create kind={kind} store={store} fields={fields} close={close} />}
      {read.data && <Change kind={kind} store={store} fields={fields} entry={read.data} write={write} close={close} />}
    </Drawer>
  )
}

/** Takes in what a change answered with. */
function changed(kind: Kind, entry?: Entry) {
  if (entry) queries.setQueryData(['reference', kind.kind, 'one', entry.code], entry)
  void queries.invalidateQueries({ queryKey: ['reference'], predicate: (q) => !q.queryKey.includes('one') })
  void queries.invalidateQueries({ queryKey: ['codes'] })
  void queries.invalidateQueries({ queryKey: ['accounts', 'seats'] })
}

function Create({ kind, store, fields, close }: Omit<Props, 'code' | 'write'>) {
  const [values, setValues] = useState<Values>({})
  const create = useMutation({
    mutationFn: () => store.create(values),
    onSuccess: (made) => {
      changed(kind, made)
      notifications.show({ color: 'green', message: `${made.code} is created.` })
      close()
    },
  })
  const writable = fields.filter((f) => !f.readOnly && f.name !== 'active')
  const problem = create.error ? asProblem(create.error) : undefined
  const set = (f: Field, value: Value) => {
    const { [f.name]: _, ...rest } = values
    setValues(value === '' || value === null || value === undefined ? rest : { ...rest, [f.name]: value })
  }
  const submit = (event: FormEvent) => {
    event.preventDefault()
    if (!create.isPending) create.mutate()
  }
  return (
    <form onSubmit={submit} noValidate aria-label={`New ${kind.one}`}>
      <Stack>
        <ProblemAlert error={create.error} shown={writable.map((f) => f.name)} />
        <FieldForm fields={writable} valueOf={(f) => values[f.name]} set={set} problem={problem} />
        <div className={classes.bar}>
          <Button variant="default" onClick={close}>
            Cancel
          </Button>
          <Button type="submit" loading={create.isPending}>
            Create
          </Button>
        </div>
      </Stack>
    </form>
  )
}

const blank = (v: Value) =>
  v === undefined || v === null || v === '' || v === false || v === 0 || (Array.isArray(v) && v.length === 0)
const same = (a: Value, b: Value) => (blank(a) && blank(b)) || JSON.stringify(a) === JSON.stringify(b)

function Change({ kind, store, fields, entry, write, close }: Omit<Props, 'code'> & { entry: Entry }) {
  const [base, setBase] = useState(entry)
  const [patch, setPatch] = useState<Values>({})
  const [asking, setAsking] = useState<'lock' | 'delete'>()
  const took = (next: Entry, words: string) => {
    changed(kind, next)
    setBase(next)
    setPatch({})
    setAsking(undefined)
    notifications.show({ color: 'green', message: words })
  }
  const save = useMutation({
    mutationFn: ({ of, body }: { of: Entry; body: Values }) => store.change(of, body),
    onSuccess: (next) => took(next, `${next.code} is saved.`),
  })
  const lock = useMutation({
    mutationFn: (active: boolean) => store.lock(base, active),
    onSuccess: (next) => took(next, `${next.code} is ${next.active ? 'unlocked' : 'locked'}.`),
  })
  const remove = useMutation({
    mutationFn: () => store.remove(base),
    onSuccess: () => {
      changed(kind)
      queries.removeQueries({ queryKey: ['reference', kind.kind, 'one', base.code] })
      notifications.show({ color: 'green', message: `${base.code} is deleted.` })
      close()
    },
  })
  const problem = save.error ? asProblem(save.error) : undefined
  const editable = fields.filter((f) => !f.readOnly && !['code', 'active'].includes(f.name))
  const facts = fields.filter((f) => f.readOnly && f.name !== 'account')
  const set = (f: Field, value: Value) => {
    const { [f.name]: _, ...rest } = patch
    setPatch(same(value, base[f.name]) ? rest : { ...rest, [f.name]: value === '' ? null : value })
  }
  const dirty = Object.keys(patch).length > 0
  const submit = (event: FormEvent) => {
    event.preventDefault()
    if (dirty && !save.isPending) save.mutate({ of: base, body: patch })
  }
  return (
    <>
      <form onSubmit={submit} noValidate aria-label={`${kind.one} ${base.code}`}>
        <Stack>
          <Group gap="xs" justify="space-between">
            <Badge color={base.active ? 'green' : 'gray'} variant="light" tt="none">
              {base.active ? 'Active' : 'Locked'}
            </Badge>
            {typeof base['account'] === 'string' && base['account'] && (
              <Button component={Link} size="compact-sm" variant="subtle" to={`/accounts/${base['account']}`}>
                Its user account
              </Button>
            )}
          </Group>
          <ProblemAlert error={problem?.status === 412 ? undefined : save.error} shown={editable.map((f) => f.name)} />
          <ProblemAlert error={asking ? undefined : lock.error} />
          {write ? (
            <FieldForm
              fields={editable}
              valueOf={(f) => (f.name in patch ? patch[f.name] : base[f.name])}
              set={set}
              problem={problem}
            />
          ) : (
            <FieldFacts fields={fields} valueOf={(f) => base[f.name]} />
          )}
          {kind.family === 'resources' && write && (
            <Checkbox
              label="Reset from resource group"
              description="The defaults of the resource group replace what is there."
              checked={patch['resetFromGroup'] === true}
              onChange={(e) => {
                const { resetFromGroup: _, ...rest } = patch
                setPatch(e.currentTarget.checked ? { ...rest, resetFromGroup: true } : rest)
              }}
            />
          )}
          {write && facts.length > 0 && <FieldFacts fields={facts} valueOf={(f) => base[f.name]} />}
          {write && (
            <div className={classes.bar}>
              <Group gap="xs" mr="auto">
                {base.active ? (
                  <Button variant="light" color="red" onClick={() => setAsking('lock')}>
                    Lock
                  </Button>
                ) : (
                  <Button variant="light" loading={lock.isPending} onClick={() => lock.mutate(true)}>
                    Unlock
                  </Button>
                )}
                <Button variant="subtle" color="red" onClick={() => setAsking('delete')}>
                  Delete
                </Button>
              </Group>
              <Button variant="default" onClick={close}>
                Close
              </Button>
              <Button type="submit" loading={save.isPending} disabled={!dirty}>
                Save
              </Button>
            </div>
          )}
        </Stack>
      </form>
      {asking === 'lock' && (
        <ActionDialog
          title={`Lock ${base.code}`}
          apply="Lock"
          danger
          busy={lock.isPending}
          error={lock.error}
          close={() => {
            setAsking(undefined)
            lock.reset()
          }}
          onApply={() => lock.mutate(false)}
        >
          <Text size="sm">
            It can be given to nobody else. What holds it keeps it
            {kind.kind === 'roles' || kind.kind === 'groups' ? ', but gives no permissions any more' : ''}.
          </Text>
        </ActionDialog>
      )}
      {asking === 'delete' && (
        <ActionDialog
          title={`Delete ${base.code}`}
          apply="Delete"
          danger
          busy={remove.isPending}
          error={remove.error}
          close={() => {
            setAsking(undefined)
            remove.reset()
          }}
          onApply={() => remove.mutate()}
        >
          <Text size="sm">It is gone for good. Only what nothing refers to can be deleted; lock what is in use.</Text>
        </ActionDialog>
      )}
      {problem?.status === 412 && (
        <ConflictDialog
          what={kind.one}
          read={() => store.read(base.code)}
          fields={fields}
          problem={problem}
          base={base}
          mine={patch}
          cancel={() => save.reset()}
          resolve={(fresh, kept) => {
            changed(kind, fresh)
            setBase(fresh)
            setPatch(kept)
            save.reset()
            if (Object.keys(kept).length > 0) save.mutate({ of: fresh, body: kept })
          }}
        />
      )}
    </>
  )
}
