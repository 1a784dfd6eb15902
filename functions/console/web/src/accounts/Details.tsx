import { Button, Group, Stack, Text, Title } from '@mantine/core'
import { notifications } from '@mantine/notifications'
import { IconPencil } from '@tabler/icons-react'
import { useMutation } from '@tanstack/react-query'
import { useEffect, useRef, useState } from 'react'
import type { FormEvent } from 'react'
import { api, ask, ifMatch } from '../api/client'
import { asProblem } from '../api/problem'
import { ConflictDialog } from '../common/ConflictDialog'
import { ProblemAlert } from '../common/ProblemAlert'
import { FieldInput } from '../fields/FieldInput'
import type { Field, Value } from '../fields/fields'
import { FieldValue } from '../fields/FieldValue'
import { Instant } from '../fields/Instant'
import { useMay } from '../session/session'
import { nameOf, readAccount, refreshed, valueOf } from './account'
import type { Account } from './account'
import classes from './AccountPage.module.css'
import { AccountActions } from './actions/AccountActions'
import { Marks } from './Marks'
import { sections } from './sections'

type Patch = Record<string, Value>

/** The head and the sections of an account, to read and, after Edit, to change. */
export function Details({ account, fields }: { account: Account; fields: Field[] }) {
  // What the form began with: a change made meanwhile by somebody else must not slip into it.
  const [base, setBase] = useState<Account>()
  const [patch, setPatch] = useState<Patch>({})
  const may = useMay()
  const save = useMutation({
    mutationFn: ({ version, body }: { version: number; body: Patch }) =>
      ask(
        api.PATCH('/api/accounts/{id}', {
          params: { path: { id: account.id }, header: ifMatch(version) },
          body,
        }),
      ),
    onSuccess: (changed) => {
      refreshed(account.id, changed)
      leave()
      notifications.show({ color: 'green', message: `${nameOf(changed)} is saved.` })
    },
  })
  const leave = () => {
    setBase(undefined)
    setPatch({})
    save.reset()
  }
  // Edit and Save take themselves away: who works by the keyboard goes on at the first section, and then where
  // they were. Not at its first field, which is another once the codes to choose from have come.
  const frame = useRef<HTMLFormElement>(null)
  const edit = useRef<HTMLButtonElement>(null)
  const editing = base !== undefined
  const edited = useRef(editing)
  useEffect(() => {
    if (edited.current === editing) return
    edited.current = editing
    if (editing) frame.current?.querySelector('section')?.focus()
    else edit.current?.focus()
  }, [editing])
  const problem = save.error ? asProblem(save.error) : undefined
  const form = base ?? account
  const submit = (event: FormEvent) => {
    event.preventDefault()
    if (!base || save.isPending) return
    if (Object.keys(patch).length === 0) leave()
    else save.mutate({ version: base.version, body: patch })
  }
  const change = (field: Field, value: Value) => {
    const { [field.name]: _, ...rest } = patch
    setPatch(same(value, valueOf(form, field)) ? rest : { ...rest, [field.name]: value })
  }
  const onForm = fields.filter((f) => sections.some((s) => s.name === f.section))
  return (
    <form ref={frame} onSubmit={submit} noValidate aria-label={`User account ${account.username}`}>
      <Stack>
        <div className={classes.head}>
          <div>
            <Group gap="sm">
              <Title order={1} size="h2">
                {nameOf(account)}
              </Title>
              <Marks account={account} always />
            </Group>
            <Text c="dimmed">
              {account.username}
              {account.userType && ` · ${account.userType}`}
            </Text>
            {account.blockedUntil && (
              <Text size="sm">
                Failed tries block it: one more is let through from <Instant at={account.blockedUntil} />.
              </Text>
            )}
          </div>
          {!base && (
            <Group gap="xs">
              {may('account.update') && (
                <Button
                  ref={edit}
                  variant="default"
                  leftSection={<IconPencil size={18} />}
                  onClick={() => setBase(account)}
                >
                  Edit
                </Button>
              )}
              <AccountActions account={account} />
            </Group>
          )}
        </div>
        <ProblemAlert
          error={problem?.status === 412 ? undefined : save.error}
          shown={base ? onForm.map((f) => f.name) : []}
        />
        <div className={classes.sections}>
          {sections.map((section) => (
            <section
              key={section.name}
              tabIndex={-1}
              className={`${classes.section} ${base ? classes.editing : ''}`}
              aria-labelledby={`section-${section.name}`}
            >
              <h2 id={`section-${section.name}`}>{section.label}</h2>
              {base ? (
                <Stack gap="sm">
                  {onForm
                    .filter((f) => f.section === section.name && !f.readOnly)
                    .map((f) => (
                      <FieldInput
                        key={f.name}
                        field={f}
                        value={f.name in patch ? patch[f.name] : valueOf(form, f)}
                        onChange={(v) => change(f, v)}
                        error={problem?.of(f.name)}
                      />
                    ))}
                  <Facts fields={onForm.filter((f) => f.section === section.name && f.readOnly)} account={account} />
                </Stack>
              ) : (
                <Facts fields={onForm.filter((f) => f.section === section.name)} account={account} />
              )}
            </section>
          ))}
        </div>
        {base && (
          <div className={classes.bar}>
            <Button variant="default" onClick={leave}>
              Cancel
            </Button>
            <Button type="submit" loading={save.isPending}>
              Save
            </Button>
          </div>
        )}
      </Stack>
      {base && problem?.status === 412 && (
        <ConflictDialog
          what="account"
          read={() => readAccount(account.id)}
          fields={fields}
          problem={problem}
          base={base}
          mine={patch}
          cancel={() => save.reset()}
          resolve={(fresh, kept) => {
            refreshed(account.id, fresh)
            if (Object.keys(kept).length === 0) return leave()
            setBase(fresh)
            setPatch(kept)
            save.mutate({ version: fresh.version, body: kept })
          }}
        />
      )}
    </form>
  )
}

function Facts({ fields, account }: { fields: Field[]; account: Account }) {
  if (fields.length === 0) return null
  return (
    <dl className={classes.facts}>
      {fields.map((f) => [
        <dt key={f.name} title={f.help}>
          {f.label}
        </dt>,
        <dd key={`${f.name} value`}>
          <FieldValue field={f} value={valueOf(account, f)} />
        </dd>,
      ])}
    </dl>
  )
}

const blank = (v: Value) =>
  v === undefined || v === null || v === '' || v === false || (Array.isArray(v) && v.length === 0)
const same = (a: Value, b: Value) => (blank(a) && blank(b)) || JSON.stringify(a) === JSON.stringify(b)
