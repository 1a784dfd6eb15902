import { Anchor, Breadcrumbs, Button, Skeleton, Stack, Text, Title } from '@mantine/core'
import { notifications } from '@mantine/notifications'
import { useMutation } from '@tanstack/react-query'
import { useState } from 'react'
import type { FormEvent } from 'react'
import { Link, useNavigate } from 'react-router'
import { api, unwrap, idempotencyKey } from '../api/client'
import type { Schemas } from '../api/client'
import { toProblem } from '../api/problem'
import { ProblemAlert } from '../common/ProblemAlert'
import { useUnsavedChanges } from '../common/unsavedChanges'
import { FieldInput } from '../fields/FieldInput'
import { useAccountForm } from '../fields/fields'
import type { Value } from '../fields/fields'
import { groupBySection } from '../fields/sections'
import { accountName, updateAccountCache } from './account'
import classes from './AccountPage.module.css'
import { listAddress } from './lastList'

/** The form for a new account. Blank fields take the environment's defaults. */
export function NewAccountPage() {
  const form = useAccountForm()
  const navigate = useNavigate()
  const [values, setValues] = useState<Record<string, Value>>({})
  const endGuard = useUnsavedChanges(Object.keys(values).length > 0)
  const create = useMutation({
    mutationFn: () =>
      unwrap(
        api.POST('/api/accounts', {
          params: { header: idempotencyKey() },
          body: values as unknown as Schemas['AccountCreate'],
        }),
      ),
    onSuccess: (account) => {
      updateAccountCache(account.id, account)
      notifications.show({
        color: 'green',
        title: `${accountName(account)} was created`,
        message: 'Allow login access and set a password so that they can sign in.',
      })
      endGuard()
      void navigate(`/accounts/${account.id}`)
    },
  })
  if (!form) return <Skeleton h={320} />
  const problem = create.error ? toProblem(create.error) : undefined
  const writable = form.fields.filter((f) => !f.readOnly)
  const setValue = (name: string, value: Value) => {
    const { [name]: _, ...rest } = values
    setValues(
      value === '' || value === null || value === undefined || (Array.isArray(value) && value.length === 0)
        ? rest
        : { ...rest, [name]: value },
    )
  }
  const submit = (event: FormEvent) => {
    event.preventDefault()
    if (!create.isPending) create.mutate()
  }
  return (
    <form onSubmit={submit} noValidate className={classes.form} aria-label="New user account">
      <Stack gap="lg">
        <Breadcrumbs separator="›">
          <Anchor component={Link} to={listAddress()} size="sm">
            User accounts
          </Anchor>
          <Text size="sm" c="dimmed">
            New
          </Text>
        </Breadcrumbs>
        <div>
          <Title order={1} size="h2">
            New user account
          </Title>
          <Text c="dimmed">
            A new account has no password and its access is locked. Set a password and allow access after you create it.
          </Text>
        </div>
        <ProblemAlert error={create.error} inlineFields={writable.map((f) => f.name)} />
        <div className={classes.sections}>
          {groupBySection(writable, form.sections).map((section) => (
            <section key={section.name} className={classes.section} aria-labelledby={`section-${section.name}`}>
              <h2 id={`section-${section.name}`}>{section.label}</h2>
              <Stack gap="sm">
                {section.fields.map((f) => (
                  <FieldInput
                    key={f.name}
                    field={f}
                    value={values[f.name]}
                    onChange={(v) => setValue(f.name, v)}
                    error={problem?.messageFor(f.name)}
                    autoFocus={f === writable[0]}
                  />
                ))}
              </Stack>
            </section>
          ))}
        </div>
        <div className={classes.bar}>
          <Button variant="default" component={Link} to="/accounts">
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
