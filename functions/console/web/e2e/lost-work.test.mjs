// What was typed is never lost unasked: navigation, reload, Escape, tabs, an ended session; and numbers stay as typed.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { findChromium, launch, open, signIn, waitForShell, screenshot, axeViolations } from './browser.mjs'
import { administrator, call, createAccount, origin } from './system.mjs'

let browser, page, pageErrors, context
before(async () => {
  browser = await launch(findChromium())
  ;({ page, pageErrors, context } = await open(browser, origin))
  await signIn(page, administrator)
  await waitForShell(page)
})
after(() => browser.close())

const question = () => page.getByRole('dialog', { name: 'Discard your changes?' })
const edit = async (made, name) => {
  await page.goto(`/accounts/${made.id}`)
  await page.getByRole('button', { name: 'Edit', exact: true }).click()
  await page.getByLabel(/^Name/).fill(name)
}

test('an account being edited: its tabs keep it, another page and the way back ask first', async () => {
  const made = await createAccount()
  await edit(made, 'Typed and not saved')
  await page.getByRole('tab', { name: 'Delegation' }).click()
  await page.getByText('No delegations').waitFor()
  assert.equal(await page.getByLabel(/^Name/).inputValue(), 'Typed and not saved')
  await page.getByRole('navigation').getByRole('link', { name: 'Jobs' }).click()
  await question().waitFor()
  await screenshot(page, 'discard')
  for (const found of await axeViolations(page)) pageErrors.push(`axe on discard: ${found}`)
  await question().getByRole('button', { name: 'Keep editing' }).click()
  assert.equal(await page.getByLabel(/^Name/).inputValue(), 'Typed and not saved')
  await page.getByRole('button', { name: /your account/ }).click()
  await page.getByRole('menuitem', { name: 'Sign out' }).click()
  await question().getByRole('button', { name: 'Keep editing' }).click()
  await page.getByRole('button', { name: 'Save', exact: true }).click()
  await page.getByRole('heading', { level: 1, name: 'Typed and not saved' }).waitFor()
  await page.getByRole('navigation').getByRole('link', { name: 'Jobs' }).click()
  await page.getByRole('heading', { level: 1, name: 'Jobs' }).waitFor() // saved, so nothing is asked
})

test('a contact being edited: another tab asks, and discards when told to', async () => {
  const made = await createAccount()
  await page.goto(`/accounts/${made.id}/contact`)
  await page.getByLabel('First name').fill('Typed')
  await page.getByRole('tab', { name: 'Log' }).click()
  await question().getByRole('button', { name: 'Keep editing' }).click()
  assert.equal(await page.getByLabel('First name').inputValue(), 'Typed')
  await page.getByRole('tab', { name: 'Log' }).click()
  await question().getByRole('button', { name: 'Discard' }).click()
  await page.getByLabel('New note').waitFor()
  await page.getByRole('tab', { name: 'Contact' }).click()
  await page.getByLabel('First name').waitFor()
  assert.equal(await page.getByLabel('First name').inputValue(), '')
})

test('a reload in the middle asks', async () => {
  const made = await createAccount()
  await edit(made, 'Typed before a reload')
  let asked
  page.once('dialog', (d) => {
    asked = d.type()
    void d.dismiss()
  })
  await page.evaluate(() => window.location.reload())
  await page.waitForTimeout(300)
  assert.equal(asked, 'beforeunload')
  assert.equal(await page.getByLabel(/^Name/).inputValue(), 'Typed before a reload')
  await page.getByRole('button', { name: 'Cancel', exact: true }).click()
})

test('Escape in a dialog asks once something was typed, and only then', async () => {
  const made = await createAccount({}, 'seven green bicycles')
  await page.goto(`/accounts/${made.id}`)
  await page.getByRole('button', { name: 'Block login access' }).click()
  const dialog = page.getByRole('dialog', { name: 'Block login access' })
  await dialog.waitFor()
  await page.keyboard.press('Escape')
  await dialog.waitFor({ state: 'hidden' })
  await page.getByRole('button', { name: 'Block login access' }).click()
  await dialog.getByLabel('Reason').fill('A long explanation')
  await page.keyboard.press('Escape')
  await question().getByRole('button', { name: 'Keep editing' }).click()
  assert.equal(await dialog.getByLabel('Reason').inputValue(), 'A long explanation')
  await page.keyboard.press('Escape')
  await question().getByRole('button', { name: 'Discard' }).click()
  await dialog.waitFor({ state: 'hidden' })
})

test('a number out of bounds stays as typed, is marked, and is not stored', async () => {
  await page.goto('/settings/environment')
  const before = await call('GET', '/api/settings')
  await page.getByRole('button', { name: 'Edit', exact: true }).click()
  const tries = page.getByLabel(/^Failed/).first()
  await tries.fill('0')
  await tries.blur()
  assert.equal(await tries.inputValue(), '0')
  await page.getByText(/^Enter a number from 1 to /).waitFor()
  await page.getByRole('button', { name: 'Save', exact: true }).click()
  await page.getByRole('alert').waitFor()
  assert.deepEqual(await call('GET', '/api/settings'), before)
  await page.getByRole('button', { name: 'Cancel', exact: true }).click()
})

test('an ended session signs in over the page, and what was typed is saved', async () => {
  const made = await createAccount()
  await edit(made, 'Typed across two sessions')
  await page.waitForLoadState('networkidle') // so that the change is the first request to find the session ended
  await context.clearCookies()
  await page.getByRole('button', { name: 'Save', exact: true }).click()
  const signInAgain = page.getByRole('dialog', { name: 'Sign in' })
  await signInAgain.getByText('Sign in again to go on with what you typed.').waitFor()
  await screenshot(page, 'session-ended')
  await signInAgain.getByLabel('Username or email').fill(administrator.username)
  await signInAgain.getByLabel('Password', { exact: true }).fill(administrator.password)
  await signInAgain.getByRole('button', { name: 'Sign in', exact: true }).click()
  // The change that met the ended session goes on by itself.
  await page.getByRole('heading', { level: 1, name: 'Typed across two sessions' }).waitFor()
  assert.equal((await call('GET', `/api/accounts/${made.id}`)).name, 'Typed across two sessions')
})

test('nothing broke the policy, asked another origin or failed in the page', () => assert.deepEqual(pageErrors, []))
