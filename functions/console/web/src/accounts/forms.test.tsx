import { MantineProvider } from '@mantine/core'
import { QueryClientProvider } from '@tanstack/react-query'
import type { ReactNode } from 'react'
import { renderToStaticMarkup } from 'react-dom/server'
import { MemoryRouter } from 'react-router'
import { expect, test, vi } from 'vitest'
import { queryClient } from '../api/queryClient'
import { FieldForm } from '../fields/FieldForm'
import type { Field, FormFields } from '../fields/fields'
import type { Account } from './account'
import { AccountDetails } from './AccountDetails'
import { NewAccountPage } from './NewAccountPage'

vi.mock('../api/client', () => ({ api: {}, unwrap: vi.fn() }))

const field = (name: string, section: string): Field => ({
  name,
  label: `The ${name}`,
  section,
  kind: 'text',
  required: false,
  readOnly: false,
})
/** A form as a later version of the API could answer it: the console knows none of these names. */
const form: FormFields = {
  fields: [field('alpha', 'new'), field('beta', 'old'), field('gamma', 'unlisted'), field('delta', 'elsewhere')],
  sections: [
    { name: 'old', label: 'Old section' },
    { name: 'new', label: 'New section' },
    { name: 'elsewhere', label: 'Section of a tab', tab: 'permissions' },
  ],
}
const account = { id: '1', version: 1, username: 'pat', accessLocked: false, alpha: 'one' } as unknown as Account

const render = (page: ReactNode) =>
  renderToStaticMarkup(
    <MantineProvider>
      <QueryClientProvider client={queryClient}>
        <MemoryRouter>{page}</MemoryRouter>
      </QueryClientProvider>
    </MantineProvider>,
  )
/** The headings and labels of a page, in their order. */
const read = (markup: string) =>
  [...markup.matchAll(/Old section|New section|Section of a tab|The \w+|unlisted(?=<)/g)].map(([text]) => text)

test('the details of an account show every section that the API lists, and leave those with a tab to the tab', () => {
  queryClient.setQueryData(['me'], { username: 'admin', permissions: [] })
  expect(read(render(<AccountDetails account={account} form={form} />))).toEqual([
    'Old section',
    'The beta',
    'New section',
    'The alpha',
    'unlisted',
    'The gamma',
  ])
})

test('the form for a new account shows every section, those of tabs too', () => {
  queryClient.setQueryData(['fields', 'accounts'], form)
  expect(read(render(<NewAccountPage />))).toEqual([
    'Old section',
    'The beta',
    'New section',
    'The alpha',
    'Section of a tab',
    'The delta',
    'unlisted',
    'The gamma',
  ])
})

test('any other form shows every section', () => {
  const markup = render(
    <FieldForm fields={form.fields} sections={form.sections} valueOf={() => ''} onChange={() => undefined} />,
  )
  expect(read(markup)).toEqual([
    'Old section',
    'The beta',
    'New section',
    'The alpha',
    'Section of a tab',
    'The delta',
    'unlisted',
    'The gamma',
  ])
})
