// What one meets when something fails: no connection, a broken service; and what is printed.
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
  await names.nth(1).waitFor()
  assert.deepEqual(await names.allTextContents(), [`${stem}2`, `${stem}1`])
})

test('a page whose code cannot be fetched says so', async () => {
  await page.goto('/accounts')
  await page.getByRole('link', { name: 'admin', exact: true }).waitFor()
  await context.setOffline(true)
  await page.getByRole('navigation').getByRole('link', { name: 'Jobs' }).click()
  await page.getByRole('heading', { name: 'No connection' }).waitFor()
  await page.getByRole('button', { name: 'Try again' }).waitFor()
  await context.setOffline(false)
  await page.getByRole('button', { name: 'Try again' }).click()
  await page.getByRole('heading', { level: 1, name: 'Jobs' }).waitFor()
})

test('a broken service: Try again reads what failed', async () => {
  let broken = true
  await page.route(/\/api\/jobs\?/, (route) =>
    broken ? route.fulfill({ status: 503, contentType: 'text/plain', body: 'no' }) : route.continue(),
  )
  await page.goto('/jobs')
  const alert = page.getByRole('alert')
  await alert.getByText('Service unavailable').waitFor()
  broken = false
  await alert.getByRole('button', { name: 'Try again' }).click()
  await alert.waitFor({ state: 'hidden' })
})

test('printed, the list has its columns beside each other', async () => {
  await page.goto('/accounts')
  await page.getByRole('link', { name: 'admin', exact: true }).waitFor()
  await page.emulateMedia({ media: 'print' })
  await page.setViewportSize({ width: 1050, height: 740 }) // A4 landscape within its margins
  const cells = page.locator('tr[data-row]').first().locator('td[data-field]')
  const boxes = await cells.evaluateAll((all) =>
    all.map((td) => td.getBoundingClientRect()).map((b) => [b.left, b.right]),
  )
  assert.ok(boxes.length > 5)
  for (const [left, right] of boxes) {
    assert.ok(left >= 0 && right <= 1050, `a column from ${left} to ${right} is off the sheet`)
    assert.ok(right - left > 24, `a column is ${right - left} px wide`)
  }
  await screenshot(page, 'list-printed')
  await page.emulateMedia({ media: 'screen' })
})

test('nothing broke the policy, asked another origin or failed in the page', () =>
  assert.deepEqual(
    pageErrors.filter((e) => !/Failed to fetch|error loading dynamically/.test(e)),
    [],
  ))
