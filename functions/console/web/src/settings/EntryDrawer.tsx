import { Badge, Button, Checkbox, Group, Skeleton, Stack, Text } from '@mantine/core'
import { notifications } from '@mantine/notifications'
import { useMutation, useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import type { FormEvent } from 'react'
import { Link } from 'react-router'
import { toProblem } from '../api/problem'
import { queryClient } from '../api/queryClient'
import { ActionDialog } from '../common/ActionDialog'
import { ConflictDialog } from '../common/ConflictDialog'
import { ProblemAlert } from '../common/ProblemAlert'
import { SideDrawer } from '../common/SideDrawer'
import { useUnsavedChanges } from '../common/unsavedChanges'
import { FieldDetails, FieldForm } from '../fields/FieldForm'
import type { Field, FormFields, Value } from '../fields/fields'
import { Credentials } from './Credentials'
import type { ReferenceKind } from './referenceKinds'
import type { Entry, ReferenceStore, Values } from './referenceStore'
import classes from './Settings.module.css'

interface Props {
  kind: ReferenceKind
  store: ReferenceStore
  form: FormFields
  /** The code of the entry; undefined for a new one. */
  code: string | undefined
  canWrite: boolean
  onClose: () => void
}

/** One entry, to view, edit, lock or delete; or a new one. */
export function EntryDrawer({ kind, store, form, code, canWrite, onClose }: Props) {
  const read = useQuery({
    queryKey: ['reference', kind.kind, 'one', code],
    queryFn: () => store.read(code ?? ''),
    enabled: code !== undefined,
  })
  return (
    <SideDrawer
      onClose={onClose}
      title={
        code === undefined
          ? `New ${kind.singular}`
          : `${kind.singular.charAt(0).toUpperCase()}${kind.singular.slice(1)} ${code}`
      }
    >
      <ProblemAlert error={read.error} />
      {code !== undefined && read.isPending && (
        <Stack>
          <Skeleton h={60} />
          <Skeleton h={200} />
        </Stack>
      )}
      {code === undefined && <CreateForm kind={kind} store={store} form={form} onClose={onClose} />}
      {read.data && (
        <EditForm kind={kind} store={store} form={form} entry={read.data} canWrite={canWrite} onClose={onClose} />
      )}
      {read.data && kind.family === 'applications' && read.data['type'] !== 'native' && (
        <Credentials code={read.data.code} canWrite={canWrite} />
      )}
    </SideDrawer>
  )
}

/** Updates the cache after a change. */
function updateEntryCache(kind: ReferenceKind, entry?: Entry) {
  if (entry) queryClient.setQueryData(['reference', kind.kind, 'one', entry.code], entry)
  void queryClient.invalidateQueries({ queryKey: ['reference'], predicate: (q) => !q.queryKey.includes('one') })
  void queryClient.invalidateQueries({ queryKey: ['codes'] })
  void queryClient.invalidateQueries({ queryKey: ['accounts', 'seats'] })
}

function CreateForm({ kind, store, form: { fields, sections }, onClose }: Omit<Props, 'code' | 'canWrite'>) {
  const [values, setValues] = useState<Values>({})
  useUnsavedChanges(Object.keys(values).length > 0)
  const create = useMutation({
    mutationFn: () => store.create(values),
    onSuccess: (made) => {
      updateEntryCache(kind, made)
      notifications.show({ color: 'green', message: `${made.code} was created.` })
      onClose()
    },
  })
  const writable = fields.filter((f) => !f.readOnly && f.name !== 'active')
  const problem = create.error ? toProblem(create.error) : undefined
  const setValue = (f: Field, value: Value) => {
    const { [f.name]: _, ...rest } = values
    setValues(value === '' || value === null || value === undefined ? rest : { ...rest, [f.name]: value })
  }
  const submit = (event: FormEvent) => {
    event.preventDefault()
    if (!create.isPending) create.mutate()
  }
  return (
    <form onSubmit={submit} noValidate aria-label={`New ${kind.singular}`}>
      <Stack>
        <ProblemAlert error={create.error} inlineFields={writable.map((f) => f.name)} />
        <FieldForm
          fields={writable}
          sections={sections}
          valueOf={(f) => values[f.name]}
          onChange={setValue}
          problem={problem}
        />
        <div className={classes.bar}>
          <Button variant="default" onClick={onClose}>
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

function EditForm({
  kind,
  store,
  form: { fields, sections },
  entry,
  canWrite,
  onClose,
}: Omit<Props, 'code'> & { entry: Entry }) {
  const [base, setBase] = useState(entry)
  const [patch, setPatch] = useState<Values>({})
  const [confirming, setConfirming] = useState<'lock' | 'delete'>()
  const applySaved = (next: Entry, message: string) => {
    updateEntryCache(kind, next)
    setBase(next)
    setPatch({})
    setConfirming(undefined)
    notifications.show({ color: 'green', message })
  }
  const save = useMutation({
    mutationFn: ({ entry, body }: { entry: Entry; body: Values }) => store.change(entry, body),
    onSuccess: (next) => applySaved(next, `${next.code} was saved.`),
  })
  const lock = useMutation({
    mutationFn: (active: boolean) => store.lock(base, active),
    onSuccess: (next) => applySaved(next, `${next.code} was ${next.active ? 'unlocked' : 'locked'}.`),
  })
  const remove = useMutation({
    mutationFn: () => store.remove(base),
    onSuccess: () => {
      updateEntryCache(kind)
      queryClient.removeQueries({ queryKey: ['reference', kind.kind, 'one', base.code] })
      notifications.show({ color: 'green', message: `${base.code} was deleted.` })
      onClose()
    },
  })
  const problem = save.error ? toProblem(save.error) : undefined
  const editable = fields.filter((f) => !f.readOnly && !['code', 'active'].includes(f.name))
  const readOnlyFields = fields.filter((f) => f.readOnly && f.name !== 'account')
  const setValue = (f: Field, value: Value) => {
    const { [f.name]: _, ...rest } = patch
    setPatch(same(value, base[f.name]) ? rest : { ...rest, [f.name]: value === '' ? null : value })
  }
  const dirty = Object.keys(patch).length > 0
  useUnsavedChanges(dirty)
  const submit = (event: FormEvent) => {
    event.preventDefault()
    if (dirty && !save.isPending) save.mutate({ entry: base, body: patch })
  }
  return (
    <>
      <form onSubmit={submit} noValidate aria-label={`${kind.singular} ${base.code}`}>
        <Stack>
          <Group gap="xs" justify="space-between">
            <Badge color={base.active ? 'green' : 'gray'} variant="light" tt="none">
              {base.active ? 'Active' : 'Locked'}
            </Badge>
            {typeof base['account'] === 'string' && base['account'] && (
              <Button component={Link} size="compact-sm" variant="subtle" to={`/accounts/${base['account']}`}>
                View user account
              </Button>
            )}
          </Group>
          <ProblemAlert
            error={problem?.status === 412 ? undefined : save.error}
            inlineFields={editable.map((f) => f.name)}
          />
          <ProblemAlert error={confirming ? undefined : lock.error} />
          {canWrite ? (
            <FieldForm
              fields={editable}
              sections={sections}
              valueOf={(f) => (f.name in patch ? patch[f.name] : base[f.name])}
              onChange={setValue}
              problem={problem}
            />
          ) : (
            <FieldDetails fields={fields} valueOf={(f) => base[f.name]} blankTexts={kind.blankTexts} />
          )}
          {kind.family === 'resources' && canWrite && (
            <Checkbox
              label="Reset from resource group"
              description="The resource group’s defaults replace the current values."
              checked={patch['resetFromGroup'] === true}
              onChange={(e) => {
                const { resetFromGroup: _, ...rest } = patch
                setPatch(e.currentTarget.checked ? { ...rest, resetFromGroup: true } : rest)
              }}
            />
          )}
          {canWrite && readOnlyFields.length > 0 && (
            <FieldDetails fields={readOnlyFields} valueOf={(f) => base[f.name]} />
          )}
          {canWrite && (
            <div className={classes.bar}>
              <Group gap="xs" mr="auto">
                {base.active ? (
                  <Button variant="light" color="red" onClick={() => setConfirming('lock')}>
                    Lock
                  </Button>
                ) : (
                  <Button variant="light" loading={lock.isPending} onClick={() => lock.mutate(true)}>
                    Unlock
                  </Button>
                )}
                <Button variant="subtle" color="red" onClick={() => setConfirming('delete')}>
                  Delete
                </Button>
              </Group>
              <Button variant="default" onClick={onClose}>
                Close
              </Button>
              <Button type="submit" loading={save.isPending} disabled={!dirty}>
                Save
              </Button>
            </div>
          )}
        </Stack>
      </form>
      {confirming === 'lock' && (
        <ActionDialog
          title={`Lock ${base.code}`}
          confirmLabel="Lock"
          danger
          busy={lock.isPending}
          error={lock.error}
          onClose={() => {
            setConfirming(undefined)
            lock.reset()
          }}
          onConfirm={() => lock.mutate(false)}
        >
          <Text size="sm">
            It can no longer be assigned. Where it is assigned already, it stays
            {kind.kind === 'roles' || kind.kind === 'groups' ? ', but it gives no permissions' : ''}.
          </Text>
        </ActionDialog>
      )}
      {confirming === 'delete' && (
        <ActionDialog
          title={`Delete ${base.code}`}
          confirmLabel="Delete"
          danger
          busy={remove.isPending}
          error={remove.error}
          onClose={() => {
            setConfirming(undefined)
            remove.reset()
          }}
          onConfirm={() => remove.mutate()}
        >
          <Text size="sm">
            It is deleted permanently. Only an entry that is not in use can be deleted. If it is in use, lock it
            instead.
          </Text>
        </ActionDialog>
      )}
      {problem?.status === 412 && (
        <ConflictDialog
          subject={kind.singular}
          load={() => store.read(base.code)}
          fields={fields}
          problem={problem}
          base={base}
          mine={patch}
          onCancel={() => save.reset()}
          onResolve={(fresh, changes) => {
            updateEntryCache(kind, fresh)
            setBase(fresh)
            setPatch(changes)
            save.reset()
            if (Object.keys(changes).length > 0) save.mutate({ entry: fresh, body: changes })
          }}
        />
      )}
    </>
  )
}
