// The how-tos of the guide about Import and Export.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { after, afterEach, before, test } from 'node:test'
import { findChromium, launch, narrow, open, screenshot, signIn, axeViolations } from './browser.mjs'
import { createAccount, administrator, call, uniqueName, origin } from './system.mjs'
import { workbook } from './workbook.mjs'

const headings = ['Username', 'Description', 'User licenses', 'Email', 'Date from']
const person = (username, over = {}) =>
  Object.values({
    username,
    name: 'Robin Example',
    licence: 'FULL',
    email: `${username}@example.com`,
    from: '31/12/2026',
    ...over,
  })
const type = 'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet'

let browser, page, pageErrors, bucket
before(async () => {
  browser = await launch(findChromium())
  ;({ page, pageErrors } = await open(browser, origin))
  // The one other origin that the page may ask: its policy names it (V49).
  bucket = /connect-src 'self' (\S+);/.exec((await fetch(origin)).headers.get('content-security-policy'))[1]
  await signIn(page, administrator)
  await page.getByRole('heading', { name: 'User accounts' }).waitFor()
})
after(() => browser.close())
afterEach(async () => {
  for (let i = 0; i < 3 && (await page.getByRole('dialog').count()) > 0; i++) await page.keyboard.press('Escape')
})

const checkPage = async (what, on = page) => {
  await screenshot(on, what)
  for (const found of await axeViolations(on)) pageErrors.push(`axe on ${what}: ${found}`)
}
const fromMenu = async (name) => {
  await page.getByRole('navigation').getByRole('link', { name: 'User accounts' }).click()
  await page.getByRole('button', { name: 'More', exact: true }).click()
  await page.getByRole('menuitem', { name, exact: true }).click()
  await page.getByRole('heading', { level: 1, name: `${name} User Accounts` }).waitFor()
}
const choose = (rows, name = 'joiners.xlsx') =>
  page
    .getByLabel('Excel file', { exact: true })
    .last()
    .setInputFiles({ name, mimeType: type, buffer: Buffer.isBuffer(rows) ? rows : workbook(rows) })
const submit = () => page.getByRole('button', { name: 'Submit', exact: true }).click()
const count = (label) =>
  page.getByRole('term').filter({ hasText: label }).locator('xpath=following-sibling::dd').first().textContent()
const accounts = async (find) => (await call('GET', `/api/accounts?find=${find}`)).items

test('import: check only says what would change, then the same file is imported for real, and undone', async () => {
  const known = await createAccount({ name: 'Before' })
  const made = uniqueName('imp')
  await fromMenu('Import')
  await page.getByText('Choose a file first.').waitFor()
  await checkPage('import')
  await choose([headings, person(made), [known.username, 'After', '', '', '']])
  await page.getByText('joiners.xlsx').waitFor()
  await page.getByLabel('Check only').check()
  await submit()
  await page.getByText('Checked', { exact: true }).waitFor({ timeout: 30_000 })
  assert.match(page.url(), /\/jobs\/[0-9A-Z]{26}$/)
  await page.getByText('Would be created').first().waitFor()
  await page.getByText('Before', { exact: true }).waitFor()
  await page.getByText('After', { exact: true }).waitFor()
  await checkPage('import-checked')
  assert.equal((await accounts(made)).length, 0)
  assert.equal((await call('GET', `/api/accounts/${known.id}`)).name, 'Before')

  await page.getByRole('button', { name: 'Import now' }).click()
  await page.getByText('Done', { exact: true }).waitFor({ timeout: 30_000 })
  assert.equal(await count('Created'), '1')
  assert.equal(await count('Updated'), '1')
  await checkPage('import-done')
  assert.equal((await accounts(made)).length, 1)
  const at = page.url()
  await page.goto('/accounts')
  await page.goto(at) // who left finds the job again
  await page.getByText('Done', { exact: true }).waitFor()

  await page.getByRole('button', { name: 'Undo', exact: true }).click()
  await page.getByRole('dialog').getByRole('button', { name: 'Undo', exact: true }).click()
  await page.getByRole('heading', { level: 1, name: 'Undo' }).waitFor()
  await page.getByText('Done', { exact: true }).waitFor({ timeout: 30_000 })
  await checkPage('import-undone')
  assert.equal((await call('GET', `/api/accounts/${known.id}`)).name, 'Before')
})

test('import: a sheet with errors changes nothing, and comes back marked; with Skip errors the right rows go in', async () => {
  const good = uniqueName('good')
  const rows = [
    headings,
    person(good),
    person(uniqueName('bad'), { licence: 'NOSUCH' }),
    person(uniqueName('bad'), { from: '12/31/2026' }),
  ]
  await fromMenu('Import')
  await choose(rows)
  await submit()
  await page.getByText('Rejected', { exact: true }).waitFor({ timeout: 30_000 })
  await page.getByText('Nothing was imported', { exact: true }).waitFor()
  await page.getByText('C3', { exact: true }).waitFor()
  await page.getByText('E4', { exact: true }).waitFor()
  assert.equal(await page.getByRole('cell', { name: good }).count(), 0) // only errors, to begin with
  await checkPage('import-refused')
  const download = page.waitForEvent('download')
  await page.getByRole('button', { name: 'Download the sheet with its results' }).click()
  const marked = readFileSync(await (await download).path())
  assert.equal(marked.subarray(0, 2).toString(), 'PK')
  assert.equal((await accounts(good)).length, 0)
  const {
    page: small,
    context,
    pageErrors: narrowErrors,
  } = await open(browser, origin, { viewport: narrow, dark: true, storageState: await page.context().storageState() })
  await small.goto(page.url())
  await small.getByText('C3', { exact: true }).waitFor()
  await checkPage('import-refused-narrow', small)
  await small.goto('/import')
  await small.getByRole('button', { name: 'Choose file' }).waitFor()
  await checkPage('import-narrow', small)
  await small.goto('/jobs')
  await small.getByRole('link', { name: 'Import', exact: true }).first().waitFor()
  await checkPage('jobs-narrow', small)
  assert.deepEqual(narrowErrors, [])
  await context.close()

  await page.getByRole('link', { name: 'Upload again' }).click()
  await choose(rows)
  await page.getByLabel('Skip errors').check()
  await submit()
  await page.getByText('Done', { exact: true }).waitFor({ timeout: 30_000 })
  assert.equal((await accounts(good)).length, 1)
})

test('import: files that cannot be one are refused in the service’s words', async () => {
  await fromMenu('Import')
  await choose(Buffer.alloc(10 * 1024 * 1024 + 1), 'large.xlsx')
  await page.getByText(/split it into smaller files/).waitFor()
  assert.equal(await page.getByRole('button', { name: 'Submit', exact: true }).isDisabled(), true)
  await checkPage('import-too-large')
  await choose(Buffer.from('Username,Email\nx,y\n'), 'people.csv')
  await submit()
  await page.getByText(/not an Excel workbook/).waitFor({ timeout: 30_000 })
  await fromMenu('Import')
  await choose([headings, ...Array.from({ length: 5001 }, (_, i) => person(`row${i}`))], 'long.xlsx')
  await submit()
  await page.getByText(/5,000/).first().waitFor({ timeout: 30_000 })
  await page.getByText('Nothing was imported', { exact: true }).waitFor()
  await checkPage('import-too-long')
})

test('export: the accounts that the list shows, with Queue, and the download', async () => {
  const made = await createAccount()
  await page.goto(`/accounts?find=${made.username}`)
  await page.getByRole('link', { name: made.username, exact: true }).waitFor()
  await page.getByRole('button', { name: 'More', exact: true }).click()
  await page.getByRole('menuitem', { name: 'Export', exact: true }).click()
  assert.equal(await page.getByRole('radio', { name: 'The user accounts in the list' }).isChecked(), true)
  await page.getByRole('radio', { name: /European/ }).check()
  await checkPage('export')
  await page.getByRole('button', { name: 'More ways to submit' }).click()
  await page.getByRole('menuitem', { name: 'Queue' }).click()
  await page
    .getByText('1 row in 1 file')
    .or(page.getByRole('button', { name: /^Download .*\.xlsx$/ }))
    .first()
    .waitFor({ timeout: 30_000 })
  await checkPage('export-done')
  const download = page.waitForEvent('download')
  await page.getByRole('button', { name: /^Download .*\.xlsx$/ }).click()
  const file = readFileSync(await (await download).path())
  assert.equal(file.subarray(0, 2).toString(), 'PK')
  // What was exported is imported without a change.
  await fromMenu('Import')
  await choose(file, 'exported.xlsx')
  await page.getByRole('radio', { name: /European/ }).check()
  await submit()
  await page.getByText('Done', { exact: true }).waitFor({ timeout: 30_000 })
  assert.equal(await count('Unchanged'), '1')
})

test('jobs: the list, its filters, and cancel', async () => {
  const begun = await call('POST', '/api/imports', { dateFormat: 'iso' })
  await page.getByRole('navigation').getByRole('link', { name: 'Jobs' }).click()
  await page.getByRole('heading', { level: 1, name: 'Jobs' }).waitFor()
  await page.getByText('No file yet').first().waitFor()
  await checkPage('jobs')
  await page.getByText('Exports', { exact: true }).click()
  await page
    .getByRole('link', { name: 'Import', exact: true })
    .and(page.locator('td *'))
    .first()
    .waitFor({ state: 'detached' })
  await page.getByText('Imports', { exact: true }).click()
  await page.getByText('Not finished', { exact: true }).click()
  await page.getByRole('button', { name: 'Cancel Import' }).first().click()
  await page.getByText('No file yet').first().waitFor({ state: 'detached' })
  await page.goto(`/jobs/${begun.job.id}`)
  await page.getByText('The job was cancelled').waitFor()
  assert.equal((await call('GET', `/api/jobs/${begun.job.id}`)).state, 'cancelled')
})

test('nothing broke the policy, asked another origin than the bucket, or failed in the page', () => {
  assert.deepEqual(
    pageErrors.filter((w) => !w.startsWith(`request elsewhere: ${bucket}/`)),
    [],
  )
})
