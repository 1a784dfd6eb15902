import { Button, Group, Skeleton, Stack, Text, Title } from '@mantine/core'
import { notifications } from '@mantine/notifications'
import { IconPencil } from '@tabler/icons-react'
import { useMutation, useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import type { FormEvent } from 'react'
import { api, unwrap, ifMatch } from '../api/client'
import type { Schemas } from '../api/client'
import { toProblem } from '../api/problem'
import { queryClient } from '../api/queryClient'
import { ConflictDialog } from '../common/ConflictDialog'
import { ProblemAlert } from '../common/ProblemAlert'
import { useUnsavedChanges } from '../common/unsavedChanges'
import { FieldDetails, FieldForm } from '../fields/FieldForm'
import { useSettingsForm } from '../fields/fields'
import type { Field, FormFields, Value } from '../fields/fields'
import { groupBySection } from '../fields/sections'
import { useHasPermission } from '../session/session'
import classes from './Settings.module.css'

type Settings = Schemas['Settings']
type Values = Record<string, Value>

const key = ['settings']
const fetchSettings = () => unwrap(api.GET('/api/settings'))
const valueIn = (settings: Settings, field: Field): Value => (settings as unknown as Values)[field.name]

/** The settings of the environment. */
export function EnvironmentPage() {
  const settings = useQuery({ queryKey: key, queryFn: fetchSettings })
  const form = useSettingsForm()
  return (
    <Stack>
      <ProblemAlert error={settings.error ?? form.error} />
      {settings.data && form.data ? (
        <Form settings={settings.data} fields={form.data.fields} sections={form.data.sections} />
      ) : (
        !settings.error &&
        !form.error && (
          <>
            <Title order={1} size="h2">
              Environment defaults
            </Title>
            <Skeleton h={360} role="status" aria-label="Loading environment defaults" />
          </>
        )
      )}
    </Stack>
  )
}

function Form({ settings, fields, sections }: { settings: Settings } & FormFields) {
  // The version that is edited. A later change by someone else must not slip into it.
  const [base, setBase] = useState<Settings>()
  const [patch, setPatch] = useState<Values>({})
  useUnsavedChanges(Object.keys(patch).length > 0)
  const hasPermission = useHasPermission()
  const stopEditing = () => {
    setBase(undefined)
    setPatch({})
    save.reset()
  }
  const save = useMutation({
    mutationFn: ({ version, body }: { version: number; body: Values }) =>
      unwrap(api.PATCH('/api/settings', { params: { header: ifMatch(version) }, body })),
    onSuccess: (changed) => {
      queryClient.setQueryData(key, changed)
      void queryClient.invalidateQueries({ queryKey: ['environment log'] })
      stopEditing()
      notifications.show({
        color: 'green',
        message: 'The environment defaults were saved. They apply from now on.',
      })
    },
  })
  const problem = save.error ? toProblem(save.error) : undefined
  const shown = base ?? settings
  const setValue = (f: Field, value: Value) => {
    const { [f.name]: _, ...rest } = patch
    setPatch((value ?? '') === (valueIn(shown, f) ?? '') ? rest : { ...rest, [f.name]: value })
  }
  const submit = (event: FormEvent) => {
    event.preventDefault()
    if (!base || save.isPending) return
    if (Object.keys(patch).length === 0) stopEditing()
    else save.mutate({ version: base.version, body: patch })
  }
  return (
    <form onSubmit={submit} noValidate aria-label="Environment defaults">
      <Stack>
        <Group justify="space-between" align="start">
          <div className={classes.words}>
            <Title order={1} size="h2">
              Environment defaults
            </Title>
            <Text c="dimmed">Settings that apply to everyone in this environment, unless an account has its own.</Text>
          </div>
          {!base && hasPermission('settings.write') && (
            <Button variant="default" leftSection={<IconPencil size={18} />} onClick={() => setBase(settings)}>
              Edit
            </Button>
          )}
        </Group>
        <ProblemAlert
          error={problem?.status === 412 ? undefined : save.error}
          inlineFields={fields.map((f) => f.name)}
        />
        <div className={classes.sections}>
          {groupBySection(fields, sections).map((section) => (
            <section
              key={section.name}
              className={`${classes.section} ${base ? classes.editing : ''}`}
              aria-labelledby={`section-${section.name}`}
            >
              <h2 id={`section-${section.name}`}>{section.label}</h2>
              {base ? (
                <FieldForm
                  fields={section.fields}
                  valueOf={(f) => (f.name in patch ? patch[f.name] : valueIn(shown, f))}
                  onChange={setValue}
                  problem={problem}
                />
              ) : (
                <FieldDetails fields={section.fields} valueOf={(f) => valueIn(settings, f)} />
              )}
            </section>
          ))}
        </div>
        {base && (
          <div className={`${classes.bar} ${classes.pageBar}`}>
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
          subject="page"
          load={fetchSettings}
          fields={fields}
          problem={problem}
          base={base}
          mine={patch}
          onCancel={() => save.reset()}
          onResolve={(fresh, changes) => {
            queryClient.setQueryData(key, fresh)
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
