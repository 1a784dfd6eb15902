import { Button, Group, Stack, Text, Title } from '@mantine/core'
import { notifications } from '@mantine/notifications'
import { IconPencil } from '@tabler/icons-react'
import { useMutation } from '@tanstack/react-query'
import { useEffect, useRef, useState } from 'react'
import type { FormEvent } from 'react'
import { api, unwrap, ifMatch } from '../api/client'
import { toProblem } from '../api/problem'
import { ConflictDialog } from '../common/ConflictDialog'
import { ProblemAlert } from '../common/ProblemAlert'
import { useUnsavedChanges } from '../common/unsavedChanges'
import { FieldInput } from '../fields/FieldInput'
import type { Field, FormFields, Value } from '../fields/fields'
import { FieldValue } from '../fields/FieldValue'
import { Instant } from '../fields/Instant'
import { groupBySection } from '../fields/sections'
import { useHasPermission } from '../session/session'
import { AccessBadges } from './AccessBadges'
import { accountName, fetchAccount, updateAccountCache, fieldValue } from './account'
import type { Account } from './account'
import classes from './AccountPage.module.css'
import { AccountActions } from './actions/AccountActions'

type Patch = Record<string, Value>

/** The heading and the sections of an account, which Edit turns into a form. */
export function AccountDetails({ account, form }: { account: Account; form: FormFields }) {
  // The version that is edited. A later change by someone else must not slip into it.
  const [base, setBase] = useState<Account>()
  const [patch, setPatch] = useState<Patch>({})
  const hasPermission = useHasPermission()
  useUnsavedChanges(Object.keys(patch).length > 0)
  const save = useMutation({
    mutationFn: ({ version, body }: { version: number; body: Patch }) =>
      unwrap(
        api.PATCH('/api/accounts/{id}', {
          params: { path: { id: account.id }, header: ifMatch(version) },
          body,
        }),
      ),
    onSuccess: (changed) => {
      updateAccountCache(account.id, changed)
      stopEditing()
      notifications.show({ color: 'green', message: `${accountName(changed)} was saved.` })
    },
  })
  const stopEditing = () => {
    setBase(undefined)
    setPatch({})
    save.reset()
  }
  // Edit and Save disappear when used, so the focus moves to the first section, and back to Edit afterwards. It does
  // not go to the first input, which is replaced once its options have loaded.
  const formElement = useRef<HTMLFormElement>(null)
  const editButton = useRef<HTMLButtonElement>(null)
  const editing = base !== undefined
  const wasEditing = useRef(editing)
  useEffect(() => {
    if (wasEditing.current === editing) return
    wasEditing.current = editing
    if (editing) formElement.current?.querySelector('section')?.focus()
    else editButton.current?.focus()
  }, [editing])
  const problem = save.error ? toProblem(save.error) : undefined
  const shown = base ?? account
  const submit = (event: FormEvent) => {
    event.preventDefault()
    if (!base || save.isPending) return
    if (Object.keys(patch).length === 0) stopEditing()
    else save.mutate({ version: base.version, body: patch })
  }
  const change = (field: Field, value: Value) => {
    const { [field.name]: _, ...rest } = patch
    setPatch(isSame(value, fieldValue(shown, field)) ? rest : { ...rest, [field.name]: value })
  }
  // A section with a tab is edited there.
  const sections = groupBySection(form.fields, form.sections).filter((s) => !s.tab)
  return (
    <form ref={formElement} onSubmit={submit} noValidate aria-label={`User account ${account.username}`}>
      <Stack>
        <div className={classes.head}>
          <div>
            <Group gap="sm">
              <Title order={1} size="h2">
                {accountName(account)}
              </Title>
              <AccessBadges account={account} showAllowed />
            </Group>
            <Text c="dimmed">
              {account.username}
              {account.userType && ` · ${account.userType}`}
            </Text>
            {account.blockedUntil && (
              <Text size="sm">
                Blocked by failed tries. The next try is allowed from <Instant at={account.blockedUntil} />.
              </Text>
            )}
          </div>
          {!base && (
            <Group gap="xs">
              {hasPermission('account.update') && (
                <Button
                  ref={editButton}
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
          inlineFields={base ? sections.flatMap((s) => s.fields.map((f) => f.name)) : []}
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
                  {section.fields
                    .filter((f) => !f.readOnly)
                    .map((f) => (
                      <FieldInput
                        key={f.name}
                        field={f}
                        value={f.name in patch ? patch[f.name] : fieldValue(shown, f)}
                        onChange={(v) => change(f, v)}
                        error={problem?.messageFor(f.name)}
                      />
                    ))}
                  <ReadOnlyFields fields={section.fields.filter((f) => f.readOnly)} account={account} />
                </Stack>
              ) : (
                <ReadOnlyFields fields={section.fields} account={account} />
              )}
            </section>
          ))}
        </div>
        {base && (
          <div className={classes.bar}>
            <Button variant="default" onClick={stopEditing}>
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
          subject="account"
          load={() => fetchAccount(account.id)}
          fields={form.fields}
          problem={problem}
          base={base}
          mine={patch}
          onCancel={() => save.reset()}
          onResolve={(fresh, changes) => {
            updateAccountCache(account.id, fresh)
            if (Object.keys(changes).length === 0) return stopEditing()
            setBase(fresh)
            setPatch(changes)
            save.mutate({ version: fresh.version, body: changes })
          }}
        />
      )}
    </form>
  )
}

function ReadOnlyFields({ fields, account }: { fields: Field[]; account: Account }) {
  if (fields.length === 0) return null
  return (
    <dl className={classes.facts}>
      {fields.map((f) => [
        <dt key={f.name} title={f.help}>
          {f.label}
        </dt>,
        <dd key={`${f.name} value`}>
          <FieldValue field={f} value={fieldValue(account, f)} />
        </dd>,
      ])}
    </dl>
  )
}

const isBlank = (v: Value) =>
  v === undefined || v === null || v === '' || v === false || (Array.isArray(v) && v.length === 0)
const isSame = (a: Value, b: Value) => (isBlank(a) && isBlank(b)) || JSON.stringify(a) === JSON.stringify(b)
