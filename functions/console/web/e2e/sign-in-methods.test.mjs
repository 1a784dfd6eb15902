// Sign-in methods besides the password: passkeys, codes and links by email, identity providers; and linking by a
// directory.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { waitForShell, findChromium, launch, narrow, open, screenshot, signIn, axeViolations } from './browser.mjs'
import {
  createAccount,
  administrator,
  call,
  uniqueName,
  mailbox,
  waitForMail,
  origin,
  providers,
  setResponse,
  changeSettings,
} from './system.mjs'

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
const press = (within, name) => within.getByRole('button', { name, exact: true }).click()
const signOut = async (page) => {
  await page.getByRole('button', { name: /your account/ }).click()
  await page.getByRole('menuitem', { name: 'Sign out' }).click()
  await page.getByRole('heading', { name: 'Sign in' }).waitFor()
}
/** Skips a test if what it needs is missing. */
const skipped = (t, what, why) => {
  if (!what) t.skip(why)
  return !what
}

// A passkey belongs to a name, so the address has to be one.
test('a passkey is added under My account, is a second factor, and a way in of its own', async (t) => {
  if (skipped(t, !new URL(origin).hostname.includes('127.'), 'the system is reached by a number')) return
  const made = await createAccount({}, password)
  const { page, pageErrors, context } = await open(browser, origin)
  const debug = await context.newCDPSession(page)
  await debug.send('WebAuthn.enable')
  const { authenticatorId } = await debug.send('WebAuthn.addVirtualAuthenticator', {
    options: {
      protocol: 'ctap2',
      transport: 'internal',
      hasResidentKey: true,
      hasUserVerification: true,
      isUserVerified: true,
      automaticPresenceSimulation: true,
    },
  })
  await signIn(page, { username: made.username, password })
  await waitForShell(page)
  await page.goto('/me')
  await press(page, 'Add a passkey')
  const dialog = page.getByRole('dialog', { name: 'Add a passkey' })
  await dialog.getByLabel('Name').fill('My laptop')
  await checkPage(page, 'passkey-add')
  await press(dialog, 'Continue')
  await page.getByRole('list', { name: 'Recovery codes' }).waitFor()
  await page.getByLabel('I have saved these codes').check()
  await press(page, 'Done')
  await page.getByRole('table', { name: 'Passkeys' }).getByText('My laptop').waitFor()
  await checkPage(page, 'passkeys')
  assert.equal((await debug.send('WebAuthn.getCredentials', { authenticatorId })).credentials.length, 1)
  await signOut(page)

  // As the second factor, after the password.
  await signIn(page, { username: made.username, password })
  await page.getByRole('heading', { name: 'Confirm that it is you' }).waitFor()
  await checkPage(page, 'passkey-step')
  // Somebody else's finger is refused, and the page offers another try.
  await debug.send('WebAuthn.setUserVerified', { authenticatorId, isUserVerified: false })
  await press(page, 'Use a passkey')
  await page.getByText('No passkey was used').waitFor()
  await debug.send('WebAuthn.setUserVerified', { authenticatorId, isUserVerified: true })
  await press(page, 'Use a passkey')
  await waitForShell(page)
  await signOut(page)

  // And by itself: no name is typed.
  await press(page, 'Sign in with a passkey')
  await waitForShell(page)
  await page.goto('/me')
  await press(page, 'Rename My laptop')
  await page.getByRole('dialog').getByLabel('Name').fill('Desk')
  await press(page.getByRole('dialog'), 'Save')
  await press(page, 'Delete Desk')
  await press(page.getByRole('dialog'), 'Delete')
  await page.getByText('The passkey was deleted and all sessions have ended.').waitFor()
  await page.getByRole('heading', { name: 'Sign in' }).waitFor()

  // The device still offers it; it opens nothing any more.
  await press(page, 'Sign in with a passkey')
  await page.getByRole('alert', { name: 'Not signed in' }).waitFor() // beside what was said of removing it, for a while
  assert.deepEqual(pageErrors, [])
  await context.close()
})

test('a code by mail is the second factor where the environment allows it', async (t) => {
  if (skipped(t, mailbox, 'E2E_MAILBOX is not set')) return
  const restore = await changeSettings({ emailCodeAllowed: true })
  try {
    const made = await createAccount({ mfaRequired: true }, password)
    const { page, pageErrors, context } = await open(browser, origin, { viewport: narrow, dark: true })
    await signIn(page, { username: made.username, password })
    await page.getByRole('heading', { name: 'Confirm that it is you' }).waitFor()
    await press(page, 'Email me a code')
    const [code] = /^\d{6}$/m.exec((await waitForMail(made.email, /sign-in code/)).replaceAll('\r', ''))
    await page.getByLabel('Code from the email').fill(code === '123456' ? '123457' : '123456')
    await press(page, 'Continue')
    await page.getByRole('alert').or(page.locator('[aria-invalid=true]')).first().waitFor()
    await checkPage(page, 'mail-code-wrong')
    await page.getByLabel('Code from the email').fill(code)
    await press(page, 'Continue')
    await waitForShell(page)
    assert.deepEqual(pageErrors, [])
    await context.close()
  } finally {
    await restore()
  }
})

const linkPath = (text) => {
  const [, token] = /\/set-password#(\S+)/.exec(text)
  return `/set-password#${token}`
}
const setPassword = async (page, address, wanted) => {
  await page.goto(address)
  await page.getByLabel('New password', { exact: true }).fill(wanted)
  await page.getByLabel('Repeat new password').fill(wanted)
  await press(page, 'Set password')
  await page.getByText('Your password is set. Sign in with it.').waitFor()
}

test('a forgotten password: asked for, taken from the mailbox, set, signed in with', async (t) => {
  if (skipped(t, mailbox, 'E2E_MAILBOX is not set')) return
  const made = await createAccount({}, password)
  const { page, pageErrors, context } = await open(browser, origin)
  await page.goto('/sign-in')
  await page.getByRole('link', { name: 'Forgotten password?' }).click()
  await page.getByLabel('Username or email').fill(made.email)
  await press(page, 'Email me a link')
  await page.getByText(/a link is on its way/).waitFor()
  const address = linkPath(await waitForMail(made.email, /Set a new password/))
  await setPassword(page, address, 'eleven quiet mountains sing')
  await signIn(page, { username: made.username, password: 'eleven quiet mountains sing' })
  await waitForShell(page)
  // The link worked once, and the old password is over.
  const late = await open(browser, origin)
  await late.page.goto(address)
  await late.page.getByLabel('New password', { exact: true }).fill('nine slow rivers wander')
  await late.page.getByLabel('Repeat new password').fill('nine slow rivers wander')
  await press(late.page, 'Set password')
  await late.page.getByRole('link', { name: 'Ask for a new link' }).waitFor()
  await signIn(late.page, { username: made.username, password })
  await late.page.getByRole('alert').waitFor()
  assert.deepEqual([...pageErrors, ...late.pageErrors], [])
  await late.context.close()
  await context.close()
})

// Two people at one machine: whoever opens a link in the other's browser leaves nobody half signed in.
test('a link opened where somebody else is signed in says so, and signs them out at the service too', async (t) => {
  if (skipped(t, mailbox, 'E2E_MAILBOX is not set')) return
  const owner = await createAccount({}, password)
  const other = await createAccount({}, password)
  const { page, pageErrors, context } = await open(browser, origin)
  await signIn(page, { username: other.username, password })
  await waitForShell(page)
  const cookies = (await context.cookies()).map(({ name, value }) => `${name}=${value}`).join('; ')
  const me = () => fetch(new URL('/api/me', origin), { headers: { cookie: cookies, 'X-UA-Client': 'web' } })
  assert.equal((await me()).status, 200)
  await call('POST', `/api/accounts/${owner.id}/mail-password`, {})
  const address = linkPath(await waitForMail(owner.email, /set your password/i))
  await page.goto(address)
  await page.getByText('Somebody is signed in here').waitFor()
  await checkPage(page, 'set-password-signed-in')
  await setPassword(page, address, 'eleven quiet mountains sing')
  assert.equal((await me()).status, 401)
  assert.equal((await context.cookies()).filter(({ name }) => name.startsWith('__Host-access')).length, 0)
  await signIn(page, { username: owner.username, password: 'eleven quiet mountains sing' })
  await waitForShell(page)
  assert.deepEqual(pageErrors, [])
  await context.close()
})

test('how to auto mail a new password: the person gets the link, sets one and is in', async (t) => {
  if (skipped(t, mailbox, 'E2E_MAILBOX is not set')) return
  const made = await createAccount()
  await call('POST', `/api/accounts/${made.id}/allow`)
  const admin = await open(browser, origin)
  await signIn(admin.page, administrator)
  await waitForShell(admin.page)
  await admin.page.goto(`/accounts/${made.id}`)
  await press(admin.page, 'More password actions')
  await admin.page.getByRole('menuitem', { name: 'Auto mail new password' }).click()
  await press(admin.page.getByRole('dialog'), 'Submit')
  await admin.page.getByText(/A link to set a password is on its way/).waitFor()
  const person = await open(browser, origin, { viewport: narrow })
  await setPassword(person.page, linkPath(await waitForMail(made.email, /set your password/i)), password)
  await signIn(person.page, { username: made.username, password })
  await waitForShell(person.page)
  assert.deepEqual([...admin.pageErrors, ...person.pageErrors], [])
  await admin.context.close()
  await person.context.close()
})

/** Adds a provider with a unique name. */
const provider = (values) =>
  call('POST', '/api/sso-providers', {
    name: uniqueName('By '),
    clientId: providers.clientId,
    clientSecret: providers.clientSecret,
    enabled: true,
    ...values,
  })
/** The errors of a page, without the requests to providers, which are expected. */
const unexpectedErrors = (pageErrors) =>
  pageErrors.filter((w) => ![providers.issuer, providers.azure].some((at) => w.startsWith(`request elsewhere: ${at}/`)))

test('signing in by a provider: linked people come in, others hear no more than after a wrong password', async (t) => {
  if (skipped(t, providers, 'E2E_PROVIDERS is not set')) return
  const made = await createAccount({}, password)
  const works = await provider({ kind: 'oidc', issuer: providers.issuer })
  const { page, pageErrors, context } = await open(browser, origin)

  // What somebody hears whose password is wrong, to compare.
  await signIn(page, { username: made.username, password: 'not the password' })
  const neutral = await page.getByRole('alert').textContent()

  // Not linked, though the provider shows the same email (C36).
  await setResponse(`${providers.issuer}/person`, {
    sub: `sub-${made.username}`,
    email: made.email,
    email_verified: true,
  })
  await page.goto('/sign-in')
  await press(page, `Sign in with ${works.name}`)
  await page.getByRole('heading', { name: 'Single sign-on' }).waitFor()
  assert.equal(await page.getByRole('alert').textContent(), neutral)
  await checkPage(page, 'sso-refused')
  await page.getByRole('link', { name: 'Back' }).click()
  await page.getByRole('heading', { name: 'Sign in' }).waitFor()

  // They link it themselves under My account.
  await signIn(page, { username: made.username, password })
  await waitForShell(page)
  await page.goto('/me')
  await press(page, `Link ${works.name}`)
  await press(page.getByRole('dialog'), 'Continue')
  await page.getByRole('table', { name: 'Linked providers' }).getByText(works.name).waitFor()
  await checkPage(page, 'me-linked')
  await signOut(page)
  await page.goto('/accounts')
  await press(page, `Sign in with ${works.name}`)
  await waitForShell(page)
  assert.equal(new URL(page.url()).origin, origin)
  assert.doesNotMatch(page.url(), /code=|state=/)
  await signOut(page)

  // Consent refused at the provider.
  await setResponse(`${providers.issuer}/person`, { error: 'access_denied' })
  await press(page, `Sign in with ${works.name}`)
  await page.getByRole('alert').waitFor()
  await checkPage(page, 'sso-no-consent')
  await setResponse(`${providers.issuer}/person`, { sub: `sub-${made.username}` })

  // Linked, but blocked: the same words again.
  await call('POST', `/api/accounts/${made.id}/block`, { reason: 'Left' })
  await page.goto('/sign-in')
  await press(page, `Sign in with ${works.name}`)
  await page.getByRole('heading', { name: 'Single sign-on' }).waitFor()
  assert.equal(await page.getByRole('alert').textContent(), neutral)
  await call('DELETE', `/api/sso-providers/${works.id}`).catch(() => undefined) // links may hold it
  assert.deepEqual(unexpectedErrors(pageErrors), [])
  await context.close()
})

test('how to use the SSO wizard: Azure AD users are listed, matched, linked and unlinked, and sign in', async (t) => {
  if (skipped(t, providers, 'E2E_PROVIDERS is not set')) return
  const [one, two] = [
    await createAccount({ name: 'Alma One' }, password),
    await createAccount({ name: 'Bo Two' }, password),
  ]
  const azure = await provider({ kind: 'azure', tenant: providers.tenant })
  const oid = `oid-${one.username}`
  await setResponse(`${providers.graph}/people`, [
    { id: oid, displayName: 'Alma One', mail: one.email.toUpperCase() },
    { id: `oid-${two.username}`, displayName: 'Bo Two', mail: two.email },
    { id: 'oid-nobody', displayName: 'Cy Stranger', mail: 'nobody@example.com' },
  ])
  await setResponse(`${providers.azureIssuer}/person`, {
    sub: 'pairwise-admin',
    oid: 'oid-admin',
    tid: providers.tenant,
  })
  const { page, pageErrors, context } = await open(browser, origin)
  await signIn(page, administrator)
  await page.getByRole('heading', { name: 'User accounts' }).waitFor()
  await press(page, 'More')
  await page.getByRole('menuitem', { name: 'SSO Link Wizard' }).click()
  await page.getByRole('tab', { name: 'Azure AD' }).click()
  await checkPage(page, 'wizard-azure-login')
  await press(page, 'Login AzureAD')
  const table = page.getByRole('table', { name: 'People of the directory' })
  await table.waitFor()
  await press(page, 'Load more')
  const row = (name) => table.getByRole('row').filter({ hasText: name })
  await row('Cy Stranger').getByText('No such email').waitFor()
  await checkPage(page, 'wizard-azure')
  await page.getByRole('checkbox', { name: 'All matched (2)' }).check()
  await page.getByRole('checkbox', { name: 'Add link for Bo Two' }).uncheck()
  await press(page, 'Link 1')
  await page.getByText('1 of 1 linked.').waitFor()
  await row('Bo Two').getByText('Can be linked').waitFor()

  await setResponse(`${providers.azureIssuer}/person`, { sub: 'pairwise-one', oid, tid: providers.tenant })
  const person = await open(browser, origin)
  await person.page.goto('/sign-in')
  await press(person.page, `Sign in with ${azure.name}`)
  await waitForShell(person.page)
  await person.page.goto('/me')
  await person.page.getByRole('table', { name: 'Linked providers' }).getByText(azure.name).waitFor()
  await signOut(person.page)

  await press(page, 'Remove link of Alma One')
  await press(page.getByRole('dialog', { name: 'Remove Link' }), 'Remove Link')
  await row('Alma One').getByText('Link removed').waitFor()
  await checkPage(page, 'wizard-azure-removed')
  await press(person.page, `Sign in with ${azure.name}`)
  await person.page.getByRole('heading', { name: 'Single sign-on' }).waitFor()
  await person.page.getByRole('alert').waitFor()
  assert.deepEqual([...unexpectedErrors(pageErrors), ...unexpectedErrors(person.pageErrors)], [])
  await person.context.close()
  await context.close()
})
