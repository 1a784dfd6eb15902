// What one meets without a connection.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { axeViolations, findChromium, launch, open, screenshot, signIn, waitForShell } from './browser.mjs'
import { administrator, createAccount, origin, uniqueName } from './system.mjs'

let browser, page, pageErrors, context
before(async () => {
  browser = await launch(findChromium())
  ;({ page, pageErrors, context } = await open(browser, origin))
  await signIn(page, administrator)
  await waitForShell(page)
})
after(() => browser.close())

test('without a connection no order is shown that is not there, and Try again brings the right one', async () => {
  const stem = uniqueName('off')
  for (const n of [1, 2]) await createAccount({ username: `${stem}${n}` })
  await page.goto(`/accounts?find=${stem}&sort=username`)
  const names = page.locator('tr[data-row] a')
  await names.nth(1).waitFor()
  await context.setOffline(true)
  await page.getByRole('button', { name: 'Username', exact: true }).click()
  const alert = page.getByRole('alert')
  await alert.getByText('No connection').waitFor()
  assert.equal(await names.count(), 0, 'rows of another order are shown')
  await screenshot(page, 'offline')
  for (const found of await axeViolations(page)) pageErrors.push(`axe on offline: ${found}`)
  await context.setOffline(false)
  await alert
    .getByRole('button', { name: 'Try again' })
    .click()
    .catch(() => undefined) // it may come back by itself
  const order = [`${stem}2`, `${stem}1`]
  await names.and(page.getByText(order[0], { exact: true })).waitFor()
  await page.waitForFunction(
    (want) => [...document.querySelectorAll('tr[data-row] a')].map((a) => a.textContent).join() === want,
    order.join(),
  )
})

test('nothing broke the policy, asked another origin or failed in the page', () =>
  assert.deepEqual(
    pageErrors.filter((e) => !/Failed to fetch|error loading dynamically/.test(e)),
    [],
  ))
