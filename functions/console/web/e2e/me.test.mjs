// The user's own account: second factor, recovery codes, password, devices, sessions, password links.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { waitForShell, findChromium, launch, narrow, open, screenshot, signIn, axeViolations } from './browser.mjs'
import { createAccount, call, uniqueName, origin } from './system.mjs'
import { codeOf } from './totp.mjs'

let browser
before(async () => {
  browser = await launch(findChromium())
})
after(() => browser.close())

const password = 'seven green bicycles'
const checkPage = async (page, what) => {
  await screenshot(page, what)
  assert.deepEqual(await axeViolations(page), [], `axe on ${what}`)
}
const press = (page, name) => page.getByRole('button', { name, exact: true }).click()
/** Saves the recovery codes as the page asks, and returns them. */
const keep = async (page, next) => {
  const codes = await page.getByRole('list', { name: 'Recovery codes' }).getByRole('listitem').allTextContents()
  assert.equal(codes.length, 10)
  assert.equal(await page.getByRole('button', { name: next }).isDisabled(), true)
  const [file] = await Promise.all([page.waitForEvent('download'), press(page, 'Download')])
  assert.equal(file.suggestedFilename(), 'recovery-codes.txt')
  await page.getByLabel('I have saved these codes').check()
  return codes
}

test('a required second factor is set up while signing in, then asked for, and a remembered device is not asked', async () => {
  const made = await createAccount({ mfaRequired: true }, password)
  const { page, pageErrors, context } = await open(browser, origin, { viewport: narrow, dark: true })
  await signIn(page, { username: made.username, password })
  await page.getByRole('heading', { name: 'Set up a second factor' }).waitFor()
  const secret = await page
    .getByRole('status')
    .filter({ hasText: /^[A-Z2-7 ]{20,}$/ })
    .textContent()
  await checkPage(page, 'factor-set-up')
  await page.getByLabel('Code', { exact: true }).fill('000000')
  await press(page, 'Confirm')
  await page.getByLabel('Code', { exact: true }).and(page.locator('[aria-invalid=true]')).waitFor()
  await page.getByLabel('Code', { exact: true }).fill(codeOf(secret))
  await press(page, 'Confirm')
  await page.getByRole('list', { name: 'Recovery codes' }).waitFor()
  await checkPage(page, 'recovery-codes')
  const codes = await keep(page, 'Continue')
  await press(page, 'Continue')
  await waitForShell(page)
  await page.getByRole('button', { name: /your account/ }).click()
  await page.getByRole('menuitem', { name: 'Sign out' }).click()

  await signIn(page, { username: made.username, password })
  await page.getByRole('heading', { name: 'Confirm that it is you' }).waitFor()
  await checkPage(page, 'factor')
  await press(page, 'Use a recovery code')
  await page.getByLabel('Recovery code').fill(codes[0])
  await page.getByLabel('Remember this device').check()
  await press(page, 'Continue')
  await waitForShell(page)
  await page.getByRole('button', { name: /your account/ }).click()
  await page.getByRole('menuitem', { name: 'My account' }).click()
  await page.getByText('9 recovery codes left.').waitFor()
  await page.getByRole('table', { name: 'Trusted devices' }).waitFor()
  await checkPage(page, 'me-narrow-dark')
  await page.getByRole('button', { name: /your account/ }).click()
  await page.getByRole('menuitem', { name: 'Sign out' }).click()
  await signIn(page, { username: made.username, password })
  await waitForShell(page) // no step: the device is remembered
  assert.deepEqual(pageErrors, [])
  await context.close()
})

test('my account: password with its strength, second factor, recovery codes, sessions, devices', async () => {
  const made = await createAccount({}, password)
  const other = await open(browser, origin)
  await signIn(other.page, { username: made.username, password })
  await waitForShell(other.page)
  const { page, pageErrors, context } = await open(browser, origin)
  await signIn(page, { username: made.username, password })
  await waitForShell(page)
  await page.goto('/me')
  await page.getByRole('heading', { name: 'My account', level: 1 }).waitFor()
  await press(page, 'Close all others')
  await page.getByText('One session was closed.').waitFor()

  await press(page, 'Set up')
  await press(page, 'Start')
  const dialog = page.getByRole('dialog')
  const secret = await dialog.getByRole('status').textContent()
  await checkPage(page, 'me-set-up')
  await dialog.getByLabel('Code', { exact: true }).fill(codeOf(secret))
  await press(page, 'Confirm')
  await page.getByRole('list', { name: 'Recovery codes' }).waitFor()
  await keep(page, 'Done')
  await press(page, 'Done')
  await page.getByText('10 recovery codes left.').waitFor()
  await press(page, 'Create new recovery codes')
  await press(page, 'Create new codes')
  await page.getByRole('list', { name: 'Recovery codes' }).waitFor()
  await keep(page, 'Done')
  await press(page, 'Done')

  await press(page, 'Change password')
  const change = page.getByRole('dialog')
  await change.getByLabel('Current password', { exact: true }).fill('not the one')
  await change.getByLabel('New password', { exact: true }).fill('password')
  await change.getByText(/Strength: Very weak, not allowed/).waitFor()
  // Password managers update the entry of this name.
  assert.equal(await change.locator('input[autocomplete=username]').inputValue(), made.username)
  await checkPage(page, 'me-weak-password')
  await change.getByLabel('New password', { exact: true }).fill('eleven quiet mountains sing')
  await change.getByText(/Strength: (Good|Strong)/).waitFor()
  await change.getByLabel('Repeat new password').fill('eleven quiet mountains sing')
  await change.getByRole('button', { name: 'Change password' }).click()
  await change.getByText(/The current password is wrong/).waitFor()
  await change.getByLabel('Current password', { exact: true }).fill(password)
  await change.getByRole('button', { name: 'Change password' }).click()
  await change.waitFor({ state: 'hidden' })
  await page.reload()
  await page.getByRole('table', { name: 'Sessions' }).waitFor() // the session has new means, and goes on
  await checkPage(page, 'me')

  await press(page, 'Remove')
  await page.getByRole('dialog').getByRole('button', { name: 'Remove' }).click()
  await page.getByText('Your second factor was removed and all sessions have ended.').waitFor()
  assert.deepEqual(pageErrors, [])
  await context.close()
  await other.context.close()
})

test('a forgotten password: the answer is the same for anybody, and a link that is no good says so', async () => {
  const { page, pageErrors, context } = await open(browser, origin)
  await page.goto('/sign-in')
  await page.getByRole('link', { name: 'Forgotten password?' }).click()
  await press(page, 'Email me a link')
  await page.getByText('Enter your username or email address.').waitFor()
  await page.getByLabel('Username or email').fill(uniqueName('nobody'))
  await checkPage(page, 'forgotten')
  await press(page, 'Email me a link')
  await page.getByText(/a link is on its way/).waitFor()

  // C18: the token leaves the address bar at once and is sent in a body only.
  const asked = []
  page.on('request', (r) => asked.push(r.url()))
  await page.goto('/set-password#upl_0000000000')
  await page.getByLabel('New password', { exact: true }).fill('eleven quiet mountains sing')
  assert.equal(new URL(page.url()).hash, '')
  await page.getByText(/Strength: (Good|Strong)/).waitFor()
  await checkPage(page, 'set-password-page')
  await page.getByLabel('Repeat new password').fill('eleven quiet mountains sing')
  await press(page, 'Set password')
  await page.getByRole('link', { name: 'Ask for a new link' }).waitFor()
  assert.ok(asked.every((url) => !url.includes('upl_')))
  assert.deepEqual(pageErrors, [])
  await context.close()
})

test('what is not for somebody says so', async () => {
  const made = await createAccount({}, password)
  const { page, pageErrors, context } = await open(browser, origin)
  await signIn(page, { username: made.username, password })
  await waitForShell(page)
  for (const path of ['settings/roles', 'settings/environment', 'settings/communications', 'accounts/sso-links']) {
    await page.goto(`/${path}`)
    await page.getByRole('heading', { name: 'You do not have access to this page' }).waitFor()
  }
  await page.goto('/')
  await page.getByRole('heading', { name: `Welcome, ${made.username}` }).waitFor()
  await checkPage(page, 'home-plain')
  assert.deepEqual(pageErrors, [])
  await context.close()
})

test('how to manage MFA, delete trusted devices and mail a new password', async () => {
  const { administrator } = await import('./system.mjs')
  const made = await createAccount({ mfaRequired: true }, password)
  const { page, pageErrors, context } = await open(browser, origin)
  await signIn(page, administrator)
  await page.getByRole('heading', { name: 'User accounts' }).waitFor()
  await page.goto(`/accounts/${made.id}/factor`)
  await page.getByText('Not set up').waitFor()
  const action = async (menu, name, apply, said) => {
    await press(page, menu)
    await page.getByRole('menuitem', { name, exact: true }).click()
    await page.getByRole('dialog').getByRole('button', { name: apply, exact: true }).click()
    await page.getByText(said).waitFor()
  }
  await action('More actions', 'Remove', 'Remove', 'Multi-factor authentication was removed.')
  await action('More actions', 'Do not enforce', 'Do not enforce', 'Multi-factor authentication is no longer enforced.')
  await page.getByText('Not enforced', { exact: true }).waitFor()
  await action('More actions', 'Delete trusted devices', 'Delete', 'The trusted devices were deleted.')
  await action('More password actions', 'Auto mail new password', 'Submit', /A link to set a password is on its way/)
  await checkPage(page, 'account-factor')
  assert.equal((await call('GET', `/api/accounts/${made.id}`)).mfaExempt, true)

  await page.goto(`/settings/communications?account=${made.id}`)
  await page.getByRole('table', { name: 'Emails' }).getByText('Set your password').waitFor()
  await checkPage(page, 'communications')
  assert.deepEqual(pageErrors, [])
  await context.close()
})
