// A first-time administrator's walk, from signing in to throwing somebody out.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { waitForShell, findChromium, launch, open, signIn } from './browser.mjs'
import { administrator, uniqueName, origin } from './system.mjs'

let browser
before(async () => {
  browser = await launch(findChromium())
})
after(() => browser.close())

test('sign in, create a person, allow, set a password, sign in as them, block them, and they are out', async () => {
  const { page, pageErrors } = await open(browser, origin)
  const username = uniqueName('walk')
  const password = 'seven green bicycles'
  await signIn(page, administrator)
  await page.getByRole('navigation').getByRole('link', { name: 'User accounts' }).click()
  await page.getByRole('link', { name: 'New', exact: true }).click()
  await page.getByRole('combobox', { name: /User type/ }).click()
  await page.getByRole('option', { name: /FULL/ }).click()
  await page.getByLabel(/^Username/).fill(username)
  await page.getByLabel(/^Name/).fill('Wanda Walker')
  await page.getByLabel(/^Email/).fill(`${username}@example.com`)
  await page.getByRole('button', { name: 'Create' }).click()
  await page.getByRole('heading', { level: 1, name: 'Wanda Walker' }).waitFor()

  // The roles that let them see the list: two lists, by keyboard alone.
  await page.getByRole('button', { name: 'Select', exact: true }).click()
  const dialog = page.getByRole('dialog', { name: 'Select roles and groups' })
  const offered = dialog.getByRole('listbox', { name: /available$/ })
  await offered.focus()
  await page.keyboard.press('End') // VIEWER is the last
  await page.keyboard.press('Enter')
  await dialog
    .getByRole('listbox', { name: /selected$/ })
    .getByRole('option', { name: /VIEWER/ })
    .waitFor()
  await dialog.getByRole('list', { name: 'Permissions gained' }).getByRole('listitem').first().waitFor()
  await dialog.getByRole('button', { name: 'Save' }).click()
  await dialog.waitFor({ state: 'hidden' })
  await page.getByText('VIEWER: assigned directly').first().waitFor()

  await page.getByRole('button', { name: 'Allow login access' }).click()
  // The message is one that is heard.
  await page.getByRole('alert').filter({ hasText: 'Login access is allowed.' }).waitFor()
  await page.getByRole('button', { name: 'Set password', exact: true }).click()
  await page.getByRole('dialog').getByLabel('New password', { exact: true }).fill(password)
  await page.getByRole('dialog').getByLabel('Repeat new password', { exact: true }).fill(password)
  const force = page.getByRole('dialog').getByRole('checkbox', { name: /Force/ })
  if (await force.isChecked()) await force.uncheck()
  await page.getByRole('dialog').getByRole('button', { name: 'Apply' }).click()
  await page.getByRole('dialog').waitFor({ state: 'hidden' })

  const person = await open(browser, origin)
  await signIn(person.page, { username, password })
  await waitForShell(person.page)
  await person.page.goto('/accounts')
  await person.page.getByRole('link', { name: 'admin', exact: true }).waitFor()
  assert.equal(await person.page.getByRole('link', { name: 'New', exact: true }).count(), 0) // a viewer creates nobody

  await page.getByRole('button', { name: 'Block login access' }).click()
  await page.getByRole('dialog').getByLabel('Reason').fill('The walk is over')
  await page.getByRole('dialog').getByRole('button', { name: 'Apply' }).click()
  await page.getByRole('button', { name: 'Allow login access' }).waitFor()

  // The next thing they ask for ends it, and they cannot come back.
  await person.page.getByRole('link', { name: 'admin', exact: true }).click()
  await person.page.getByRole('heading', { name: 'Sign in' }).waitFor()
  await signIn(person.page, { username, password })
  await person.page.getByRole('alert').waitFor()
  assert.deepEqual([...pageErrors, ...person.pageErrors], [])
})
