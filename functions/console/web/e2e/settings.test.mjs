// Settings, reference data, resources and the home page, as an administrator works with them.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { findChromium, launch, narrow, open, screenshot, signIn, axeViolations } from './browser.mjs'
import { createAccount, administrator, call, uniqueName, origin } from './system.mjs'

let browser, page, pageErrors
before(async () => {
  browser = await launch(findChromium())
  ;({ page, pageErrors } = await open(browser, origin))
  await signIn(page, administrator)
  await page.getByRole('heading', { name: 'User accounts' }).waitFor()
})
after(async () => {
  await browser.close()
  // The one request elsewhere that there may be is the file of links, to the place that the service named.
  assert.deepEqual(
    pageErrors.filter((w) => !uploads.some((url) => w === `request elsewhere: ${url}`)),
    [],
  )
})

const uploads = []
const checkPage = async (what, on = page) => {
  await screenshot(on, what)
  assert.deepEqual(await axeViolations(on), [], `axe on ${what}`)
}
const press = (name, within = page) => within.getByRole('button', { name, exact: true }).click()
const to = async (name) => {
  await page.getByRole('navigation', { name: 'Main', exact: true }).getByRole('link', { name, exact: true }).click()
  await page.getByRole('heading', { level: 1, name }).waitFor()
}

test('roles: created with permissions in words, changed, a conflict shown, locked, unlocked, deleted', async () => {
  const code = uniqueName('DESK').toUpperCase()
  await to('User roles')
  await page.getByRole('link', { name: 'ADMIN', exact: true }).or(page.getByRole('table')).first().waitFor()
  await checkPage('roles')
  await press('New')
  const drawer = page.getByRole('dialog')
  await press('Create', drawer)
  await drawer.getByText('Code is required.').waitFor()
  await drawer.getByLabel(/^Code/).fill(code)
  await drawer.getByLabel(/^Description/).fill('Help desk')
  await drawer.getByLabel('List and read accounts, their permissions and their log').check()
  await checkPage('role-new')
  await press('Create', drawer)
  await drawer.waitFor({ state: 'hidden' })
  await page.getByLabel('Search by code or description').fill(code)
  await page.getByRole('link', { name: code }).click()
  await drawer.getByLabel(/^Description/).fill('Mine')
  const made = await call('GET', `/api/access/roles/${code}`)
  await call('PATCH', `/api/access/roles/${code}`, { description: 'Theirs' }, { 'If-Match': `"${made.version}"` })
  await press('Save', drawer)
  const conflict = page.getByRole('dialog', { name: 'Changed by someone else' })
  await conflict.getByText('Keep mine').waitFor()
  await checkPage('role-conflict')
  await press('Save', conflict)
  await page.getByText(`${code} was saved.`).waitFor()
  assert.equal((await call('GET', `/api/access/roles/${code}`)).description, 'Mine')
  await press('Lock', drawer)
  await press('Lock', page.getByRole('dialog', { name: `Lock ${code}` }))
  await press('Unlock', drawer)
  await page.getByText(`${code} was unlocked.`).waitFor()
  await press('Delete', drawer)
  await press('Delete', page.getByRole('dialog', { name: `Delete ${code}` }))
  await page.getByText(`${code} was deleted.`).waitFor()
})

test('applications: registered, a credential shown once, a permission given by a role', async () => {
  const code = uniqueName('erp')
  await to('Applications')
  await press('New')
  const drawer = page.getByRole('dialog')
  await drawer.getByLabel(/^Code/).fill(code)
  await drawer.getByLabel(/^Permissions/).fill('order.approve: Approve orders')
  await drawer.getByLabel(/^Redirect addresses/).fill('http://erp.example.com/callback')
  await press('Create', drawer)
  await drawer.getByText(/must be https/).waitFor()
  await checkPage('application-new')
  await drawer.getByLabel(/^Redirect addresses/).press('Backspace')
  await press('Create', drawer)
  await drawer.waitFor({ state: 'hidden' })
  await page.getByRole('link', { name: code }).click()
  await press('New credential', drawer)
  await press('Create', page.getByRole('dialog', { name: 'New credential' }))
  await page.getByText(`Client id: ${code}`).waitFor()
  await checkPage('application-credential')
  await press('Done', page.getByRole('dialog', { name: 'New credential' }))
  assert.equal((await call('GET', `/api/applications/${code}/credentials`)).items.length, 1)
  await press('End', drawer)
  await press('End', page.getByRole('dialog', { name: 'End the credential' }))
  await drawer.getByText(/^None yet/).waitFor()
  await page.keyboard.press('Escape')
  const role = await call('POST', '/api/access/roles', {
    code: uniqueName('PAYER').toUpperCase(),
    permissions: [`${code}:order.approve`],
  })
  assert.deepEqual(role.permissions, [`${code}:order.approve`])
})

test('what is in use is not deleted, and the page says what holds it', async () => {
  await createAccount({ userType: 'TEAM' })
  await to('Access licences')
  await page.getByRole('link', { name: 'TEAM', exact: true }).click()
  await press('Delete', page.getByRole('dialog', { name: /TEAM/ }))
  const asking = page.getByRole('dialog', { name: 'Delete TEAM' })
  await press('Delete', asking)
  await asking.getByRole('alert').waitFor()
  await checkPage('licence-in-use')
  await page.keyboard.press('Escape')
  await page.keyboard.press('Escape')
  await page.getByRole('dialog').waitFor({ state: 'hidden' })
})

test('every kind of reference data has its page', async () => {
  for (const name of [
    'User groups',
    'DAC groups',
    'Resources',
    'Resource groups',
    'Departments',
    'Cost centres',
    'Payment methods',
    'Payment terms',
  ]) {
    await to(name)
    await page.getByRole('table', { name }).or(page.getByText('None yet')).first().waitFor()
    await press('New')
    await page.getByRole('dialog').getByLabel(/^Code/).waitFor()
    await checkPage(`reference-${name.toLowerCase().replace(' ', '-')}`)
    await page.keyboard.press('Escape')
    await page.getByRole('dialog').waitFor({ state: 'hidden' })
  }
})

test('how to create a resource', async () => {
  const group = (await call('GET', '/api/reference/resource-groups')).items[0].code
  const made = await createAccount({ name: 'Jordan Lee' })
  await page.goto(`/accounts/${made.id}/resource`)
  await press('Create resource')
  const form = page.getByRole('form', { name: 'Create resource' })
  await form.getByRole('combobox', { name: /Resource group/ }).click()
  await page.getByRole('option', { name: new RegExp(`^${group}`) }).click()
  await page.waitForFunction(() => [...document.querySelectorAll('input')].some((i) => i.value === 'Jordan Lee')) // filled in by the service
  await checkPage('create-resource')
  await press('Create', form)
  await page.getByRole('link', { name: 'Edit the resource' }).click()
  await page
    .getByRole('dialog', { name: /^Resource / })
    .getByLabel(/^Job title/)
    .fill('Surveyor')
  await press('Save', page.getByRole('dialog', { name: /^Resource / }))
  await page
    .getByText(/was saved\./)
    .first()
    .waitFor()
  const code = (await call('GET', `/api/accounts/${made.id}`)).resource
  assert.equal((await call('GET', `/api/resources/${code}`)).jobTitle, 'Surveyor')
})

test('environment defaults: edited, refused where a bound is broken, and in the log', async () => {
  await page.goto('/')
  await to('Environment defaults')
  await page.getByText('Minimum length').waitFor()
  await checkPage('environment')
  await press('Edit')
  const days = page.getByLabel(/^Trusted device/)
  const before = await days.inputValue()
  await days.fill(before === '21' ? '22' : '21')
  await checkPage('environment-edit')
  await press('Save')
  await page.getByText('The environment defaults were saved.').first().waitFor()
  await to('Environment log')
  await page.getByText('Trusted device (days)').first().waitFor()
  await checkPage('environment-log')
})

test('a provider for single sign-on is added, its secret is never shown, and the wizard offers its ways', async () => {
  await page.goto('/')
  await to('Single sign-on')
  await press('New')
  const drawer = page.getByRole('dialog')
  const name = uniqueName('Acme ')
  await drawer.getByRole('combobox', { name: /^Kind/ }).click()
  await page.getByRole('option', { name: 'OneLogin' }).click()
  await drawer.getByLabel(/^Name/).fill(name)
  await drawer.getByLabel(/^Issuer/).fill('https://acme.example.com/oidc/2')
  await drawer.getByLabel(/^Client id/).fill('user-accounts')
  await drawer.getByLabel('Client secret', { exact: true }).fill('not to be seen again')
  await drawer.getByLabel(/^Enabled/).check()
  await checkPage('provider-new')
  await press('Create', drawer)
  await drawer.waitFor({ state: 'hidden' })
  await press(name)
  await drawer.getByText('A secret is saved in encrypted form.').waitFor()
  assert.equal(await drawer.getByLabel('Client secret', { exact: true }).inputValue(), '')
  await page.keyboard.press('Escape')
  await checkPage('providers')

  const made = await createAccount()
  await page.goto('/accounts')
  await press('More')
  await page.getByRole('menuitem', { name: 'SSO Link Wizard' }).click()
  await page.getByRole('tab', { name: 'Import CSV' }).click()
  await page.getByRole('combobox', { name: 'Provider' }).click()
  await page.getByRole('option', { name }).click()
  const [chooser] = await Promise.all([page.waitForEvent('filechooser'), page.getByLabel('CSV file').click()])
  await chooser.setFiles({
    name: 'people.csv',
    mimeType: 'text/csv',
    buffer: Buffer.from(`email,object_id\n${made.email},one-${made.username}\nnobody@example.com,two\n`),
  })
  page.on('request', (r) => r.method() === 'POST' && !r.url().startsWith(origin) && uploads.push(r.url()))
  await press('Continue')
  await page.getByText('Can be linked: 1').waitFor()
  await page.getByText('No such email: 1').waitFor()
  await checkPage('wizard-csv')
  await press('Apply')
  await page.getByText('One account was linked.').waitFor()
  await page.goto(`/accounts/${made.id}/links`)
  await page.getByRole('table', { name: 'Links' }).getByText(name).waitFor()
  await checkPage('account-links')

  const guest = await open(browser, origin)
  await guest.page.goto('/sign-in')
  await guest.page.getByRole('button', { name: `Sign in with ${name}` }).waitFor()
  await checkPage('sign-in-providers', guest.page)
  await guest.page.goto('/sso/callback')
  await guest.page.getByText('The sign-in was not completed.').waitFor()
  await guest.context.close()
})

for (const [look, options] of Object.entries({
  'wide-light': {},
  'wide-dark': { dark: true },
  'narrow-light': { viewport: narrow },
  'narrow-dark': { viewport: narrow, dark: true },
})) {
  test(`the home page and the lists: ${look}`, async () => {
    const state = await page.context().storageState()
    const here = await open(browser, origin, { ...options, storageState: state })
    await here.page.goto('/')
    await here.page.getByRole('heading', { name: 'Sign-ins and failures' }).waitFor()
    await checkPage(`home-${look}`, here.page)
    await press('Show table', here.page)
    await here.page.getByRole('table', { name: 'Sign-ins and failures by day' }).waitFor()
    for (const path of [
      'settings/roles',
      'settings/licences',
      'settings/environment',
      'settings/communications',
      'settings/log',
      'me',
    ]) {
      await here.page.goto(`/${path}`)
      await here.page.getByRole('heading', { level: 1 }).waitFor()
      await here.page.waitForLoadState('networkidle')
      await checkPage(`${path.replace('settings/', '')}-${look}`, here.page)
    }
    assert.deepEqual(here.pageErrors, [])
    await here.context.close()
  })
}
