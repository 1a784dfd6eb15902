import { ActionIcon, Button, Fieldset, Group, Select, Stack, Text, Textarea, TextInput } from '@mantine/core'
import { notifications } from '@mantine/notifications'
import { IconPlus, IconTrash } from '@tabler/icons-react'
import { useMutation, useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { api, unwrap, ifMatch } from '../../api/client'
import type { Schemas } from '../../api/client'
import { toProblem } from '../../api/problem'
import type { Problem } from '../../api/problem'
import { queryClient } from '../../api/queryClient'
import { Loading } from '../../common/Loading'
import { ProblemAlert } from '../../common/ProblemAlert'
import { useUnsavedChanges } from '../../common/unsavedChanges'
import { useHasPermission } from '../../session/session'
import classes from './ContactTab.module.css'
import type { TabProps } from './tab'

type Contact = Schemas['AccountsContact']
type ContactForm = Schemas['AccountContactForm']
type FormList = ContactForm['lists'][number]
type Field = ContactForm['items'][number]
/** An entry of a list: its type, and the texts of its fields by name. */
type Entry = Record<string, string>
/** The contact while it is edited: texts and lists by the names of their fields. */
type Draft = Record<string, unknown> & { version: number }

/** The contact of the account: name, email addresses, telephone numbers, addresses. The API describes the fields. */
export default function ContactTab({ account }: TabProps) {
  const key = ['tab', account.id, 'contact']
  const form = useQuery({
    queryKey: ['fields', 'contact'],
    queryFn: () => unwrap(api.GET('/api/accounts/contact/fields')),
    staleTime: Infinity,
  })
  const contact = useQuery({
    queryKey: key,
    queryFn: () => unwrap(api.GET('/api/accounts/{id}/contact', { params: { path: { id: account.id } } })),
  })
  const error = form.error ?? contact.error
  if (error) return <ProblemAlert error={error} />
  if (!form.data || !contact.data) return <Loading label="Loading the contact" />
  return (
    <Form id={account.id} form={form.data} contact={contact.data} onSaved={(c) => queryClient.setQueryData(key, c)} />
  )
}

function Form({
  id,
  form,
  contact,
  onSaved,
}: {
  id: string
  form: ContactForm
  contact: Contact
  onSaved: (c: Contact) => void
}) {
  // The version that is edited, which a change by someone else does not replace, and the edited contact.
  const [base, setBase] = useState(contact)
  const [edited, setDraft] = useState<Draft>()
  const draft: Draft = edited ?? base
  const readOnly = !useHasPermission()('account.update')
  const save = useMutation({
    mutationFn: () => {
      const { version, ...body } = draft
      return unwrap(
        api.PUT('/api/accounts/{id}/contact', {
          params: { path: { id }, header: ifMatch(version) },
          body,
        }),
      )
    },
    onSuccess: (c) => {
      setDraft(undefined)
      onSaved(c)
      notifications.show({ color: 'green', message: 'The contact was saved.' })
    },
  })
  const problem = save.error ? toProblem(save.error) : undefined
  const changed = JSON.stringify(draft) !== JSON.stringify(base)
  if (!changed && base !== contact) {
    setBase(contact)
    setDraft(undefined)
  }
  useUnsavedChanges(changed, 'address')
  const entriesOf = (list: FormList) => (draft[list.name] ?? []) as Entry[]
  const inlineFields = [
    ...form.items.map((f) => f.name),
    ...form.lists.flatMap((l) =>
      entriesOf(l).flatMap((_, i) => ['type', ...l.items.map((f) => f.name)].map((n) => `${l.name}.${i}.${n}`)),
    ),
  ]
  return (
    <form
      onSubmit={(e) => {
        e.preventDefault()
        if (!save.isPending && changed) save.mutate()
      }}
      noValidate
      aria-label="Contact"
    >
      <Stack>
        <div className={classes.names}>
          {form.items.map((f) => (
            <Input
              key={f.name}
              field={f}
              label={f.label}
              readOnly={readOnly}
              value={(draft[f.name] ?? '') as string}
              onChange={(v) => setDraft({ ...draft, [f.name]: v })}
              error={problem?.messageFor(f.name)}
            />
          ))}
        </div>
        <div className={classes.lists}>
          {form.lists.map((l) => (
            <Entries
              key={l.name}
              list={l}
              entries={entriesOf(l)}
              readOnly={readOnly}
              problem={problem}
              onChange={(entries) => setDraft({ ...draft, [l.name]: entries })}
            />
          ))}
        </div>
        <ProblemAlert error={save.error} inlineFields={inlineFields} />
        {!readOnly && (
          <Group justify="flex-end">
            <Button
              variant="default"
              disabled={!changed}
              onClick={() => {
                setDraft(undefined)
                save.reset()
              }}
            >
              Undo
            </Button>
            <Button type="submit" disabled={!changed} loading={save.isPending}>
              Save contact
            </Button>
          </Group>
        )}
      </Stack>
    </form>
  )
}

interface EntriesProps {
  list: FormList
  entries: Entry[]
  readOnly: boolean
  problem: Problem | undefined
  onChange: (entries: Entry[]) => void
}

/** A list of the contact. Entries with one field take one line, entries with several a box. */
function Entries({ list, entries, readOnly, problem, onChange }: EntriesProps) {
  const simple = list.items.length === 1
  const updateEntry = (at: number, next: Entry) => onChange(entries.map((e, i) => (i === at ? { ...e, ...next } : e)))
  const addEntry = () =>
    onChange([
      ...entries,
      { type: list.types[0]?.value ?? '', ...Object.fromEntries(list.items.map((f) => [f.name, ''])) },
    ])
  return (
    <Fieldset legend={list.label} className={`${classes.set} ${simple ? '' : classes.wide}`}>
      <Stack gap="xs">
        {entries.map((entry, i) => {
          const name = `${list.label} ${i + 1}`
          const errorOf = (field: string) => problem?.messageFor(`${list.name}.${i}.${field}`)
          const typeInput = (
            <Select
              aria-label={`Type of ${name}`}
              label={simple ? undefined : 'Type'}
              className={simple ? classes.kind : undefined}
              allowDeselect={false}
              readOnly={readOnly}
              data={list.types}
              value={entry['type'] ?? ''}
              onChange={(v) => v && updateEntry(i, { type: v })}
              error={errorOf('type')}
            />
          )
          const inputs = list.items.map((f) => (
            <Input
              key={f.name}
              field={f}
              label={simple ? undefined : f.label}
              name={simple ? name : `${f.label} of ${name}`}
              readOnly={readOnly}
              value={entry[f.name] ?? ''}
              onChange={(v) => updateEntry(i, { [f.name]: v })}
              error={errorOf(f.name)}
            />
          ))
          const remove = !readOnly && (
            <ActionIcon
              size={36}
              variant="subtle"
              color="red"
              aria-label={`Remove ${name}`}
              onClick={() => onChange(entries.filter((_, n) => n !== i))}
            >
              <IconTrash size={18} />
            </ActionIcon>
          )
          return simple ? (
            <Group key={i} gap="xs" wrap="nowrap" align="start">
              {typeInput}
              {inputs}
              {remove}
            </Group>
          ) : (
            <div key={i} className={classes.entry} role="group" aria-label={name}>
              <div className={classes.names}>
                {typeInput}
                {inputs}
              </div>
              {remove}
            </div>
          )
        })}
        {entries.length === 0 && (
          <Text size="sm" c="dimmed">
            None.
          </Text>
        )}
        {!readOnly && entries.length < list.most && (
          <Group>
            <Button
              size="compact-sm"
              variant="light"
              leftSection={<IconPlus size={15} aria-hidden />}
              aria-label={`Add to ${list.label}`}
              onClick={addEntry}
            >
              Add
            </Button>
          </Group>
        )}
      </Stack>
    </Fieldset>
  )
}

/** Fields for longer texts have several lines. */
const maxSingleLine = 300

function Input({
  field,
  label,
  name,
  value,
  onChange,
  readOnly,
  error,
}: {
  field: Field
  label: string | undefined
  name?: string
  value: string
  onChange: (v: string) => void
  readOnly: boolean
  error: string | undefined
}) {
  const common = {
    label,
    'aria-label': name,
    description: label ? field.help : undefined,
    maxLength: field.max,
    readOnly,
    value,
    error,
    className: classes.grow,
    autoComplete: 'off',
  }
  if ((field.max ?? 0) > maxSingleLine)
    return <Textarea {...common} autosize={false} rows={2} onChange={(e) => onChange(e.currentTarget.value)} />
  return (
    <TextInput
      {...common}
      type={field.kind === 'email' ? 'email' : field.kind === 'phone' ? 'tel' : 'text'}
      onChange={(e) => onChange(e.currentTarget.value)}
    />
  )
}
