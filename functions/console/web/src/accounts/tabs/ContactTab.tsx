import { ActionIcon, Button, Fieldset, Group, Select, Stack, Text, TextInput } from '@mantine/core'
import { notifications } from '@mantine/notifications'
import { IconPlus, IconTrash } from '@tabler/icons-react'
import { useMutation, useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { api, ask, ifMatch } from '../../api/client'
import type { Schemas } from '../../api/client'
import { asProblem } from '../../api/problem'
import { queries } from '../../api/queries'
import { Loading } from '../../common/Loading'
import { ProblemAlert } from '../../common/ProblemAlert'
import { useMay } from '../../session/session'
import type { TabProps } from '.'
import classes from './ContactTab.module.css'

type Contact = Schemas['AccountsContact']

const names = [
  ['title', 'Title', 50], ['firstName', 'First name', 150], ['middleName', 'Middle name', 150], ['lastName', 'Last name', 150],
  ['suffix', 'Suffix', 50], ['jobTitle', 'Job title', 50], ['company', 'Company', 150], ['legacyRef', 'Legacy ref', 50],
] as const
const address = [['address', 'Address'], ['city', 'City'], ['county', 'County'], ['postcode', 'Postcode'], ['country', 'Country (ISO)']] as const
const types = { emails: ['work', 'home', 'other'], phones: ['work', 'mobile', 'home', 'fax', 'other'], addresses: ['work', 'home', 'other'] }

/** The person behind the account: name, addresses, telephone numbers. */
export default function ContactTab({ account }: TabProps) {
  const key = ['tab', account.id, 'contact']
  const found = useQuery({ queryKey: key, queryFn: () => ask(api.GET('/api/accounts/{id}/contact', { params: { path: { id: account.id } } })) })
  if (found.isPending) return <Loading what="Loading the contact" />
  if (found.error) return <ProblemAlert error={found.error} />
  return <Form key={found.data.version} id={account.id} contact={found.data} saved={(c) => queries.setQueryData(key, c)} />
}

function Form({ id, contact, saved }: { id: string; contact: Contact; saved: (c: Contact) => void }) {
  const [draft, setDraft] = useState(contact)
  const may = useMay()
  const readOnly = !may('account.update')
  const save = useMutation({
    mutationFn: () => {
      const { version, ...body } = draft
      return ask(api.PUT('/api/accounts/{id}/contact', { params: { path: { id }, header: ifMatch(version) }, body: body as Schemas['AccountsNewContact'] }))
    },
    onSuccess: (c) => {
      saved(c)
      notifications.show({ color: 'green', message: 'The contact is saved.' })
    },
  })
  const problem = save.error ? asProblem(save.error) : undefined
  const changed = JSON.stringify(draft) !== JSON.stringify(contact)
  const entries = (list: 'emails' | 'phones', label: string) => (
    <Fieldset legend={label} className={classes.set}>
      <Stack gap="xs">
        {draft[list].map((entry, i) => {
          const put = (next: Partial<typeof entry>) => setDraft({ ...draft, [list]: draft[list].map((e, n) => (n === i ? { ...e, ...next } : e)) })
          return (
            <Group key={i} gap="xs" wrap="nowrap" align="start">
              <Select aria-label={`Kind of ${label.toLowerCase()} ${i + 1}`} w={110} allowDeselect={false} readOnly={readOnly} data={types[list]} value={entry.type} onChange={(v) => put({ type: v ?? entry.type })} />
              <TextInput className={classes.grow} aria-label={`${label} ${i + 1}`} readOnly={readOnly} value={entry.value} onChange={(e) => put({ value: e.currentTarget.value })} error={problem?.of(`${list}.${i}.value`) ?? problem?.of(`${list}[${i}].value`)} />
              {!readOnly && <ActionIcon size={36} variant="subtle" color="red" aria-label={`Remove ${label.toLowerCase()} ${i + 1}`} onClick={() => setDraft({ ...draft, [list]: draft[list].filter((_, n) => n !== i) })}><IconTrash size={18} /></ActionIcon>}
            </Group>
          )
        })}
        {draft[list].length === 0 && readOnly && <Text size="sm" c="dimmed">None.</Text>}
        {!readOnly && <Group><Button size="compact-sm" variant="light" leftSection={<IconPlus size={15} />} onClick={() => setDraft({ ...draft, [list]: [...draft[list], { type: 'work', value: '' }] })}>Add {label.toLowerCase()}</Button></Group>}
      </Stack>
    </Fieldset>
  )
  return (
    <form onSubmit={(e) => { e.preventDefault(); if (!save.isPending) save.mutate() }} noValidate aria-label="Contact">
      <Stack>
        <div className={classes.names}>
          {names.map(([name, label, max]) => (
            <TextInput key={name} label={label} maxLength={max} readOnly={readOnly} value={draft[name]} onChange={(e) => setDraft({ ...draft, [name]: e.currentTarget.value })} error={problem?.of(name)} />
          ))}
        </div>
        <div className={classes.lists}>
          {entries('emails', 'Email address')}
          {entries('phones', 'Phone number')}
        </div>
        {draft.addresses.map((a, i) => {
          const put = (next: Partial<typeof a>) => setDraft({ ...draft, addresses: draft.addresses.map((e, n) => (n === i ? { ...e, ...next } : e)) })
          return (
            <Fieldset key={i} legend={`Address ${i + 1}`} className={classes.set}>
              <div className={classes.names}>
                <Select label="Kind" allowDeselect={false} readOnly={readOnly} data={types.addresses} value={a.type} onChange={(v) => put({ type: v ?? a.type })} />
                {address.map(([name, label]) => (
                  <TextInput key={name} label={label} readOnly={readOnly} value={a[name]} onChange={(e) => put({ [name]: e.currentTarget.value })} error={problem?.of(`addresses.${i}.${name}`) ?? problem?.of(`addresses[${i}].${name}`)} />
                ))}
              </div>
              {!readOnly && <Button mt="sm" size="compact-sm" variant="light" color="red" onClick={() => setDraft({ ...draft, addresses: draft.addresses.filter((_, n) => n !== i) })}>Remove address {i + 1}</Button>}
            </Fieldset>
          )
        })}
        {!readOnly && <Group><Button size="compact-sm" variant="light" leftSection={<IconPlus size={15} />} onClick={() => setDraft({ ...draft, addresses: [...draft.addresses, { type: 'work', address: '', postcode: '', city: '', county: '', country: '' }] })}>Add address</Button></Group>}
        <ProblemAlert error={save.error} shown={names.map(([n]) => n)} />
        {!readOnly && <Group justify="flex-end"><Button variant="default" disabled={!changed} onClick={() => setDraft(contact)}>Undo</Button><Button type="submit" disabled={!changed} loading={save.isPending}>Save contact</Button></Group>}
      </Stack>
    </form>
  )
}

