// The list of accounts: filters on a narrow screen, quick filters, column widths, thousands of rows; and the shell.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { waitForShell, findChromium, launch, narrow, open, screenshot, signIn, axeViolations } from './browser.mjs'
import { createAccount, administrator, call, manyAccounts, uniqueName, origin } from './system.mjs'

let browser, page, pageErrors, storageState
before(async () => {
  browser = await launch(findChromium())
  let context
  ;({ page, pageErrors, context } = await open(browser, origin))
  await signIn(page, administrator)
  await waitForShell(page)
  await page.goto('/accounts')
  await page.getByRole('heading', { name: 'User accounts' }).waitFor()
  storageState = await context.storageState()
})
after(() => browser.close())

const find = (p = page) => p.getByLabel('Search by username, name, email or mobile')
const checkPage = async (p, what) => {
  await screenshot(p, what)
  for (const found of await axeViolations(p)) pageErrors.push(`axe on ${what}: ${found}`)
}

test('quick chips: locked accounts too, and blocked ones', async () => {
  const stem = uniqueName('chip')
  const blocked = await createAccount({ username: `${stem}a` }) // login access is not yet allowed
  const allowed = await createAccount({ username: `${stem}b` }, 'seven green bicycles')
  const locked = await createAccount({ username: `${stem}c` }, 'seven green bicycles')
  await call('POST', `/api/accounts/${locked.id}/lock`)
  const row = (a) => page.getByRole('link', { name: a.username, exact: true })
  await page.goto(`/accounts?find=${stem}`)
  await row(allowed).waitFor()
  assert.equal(await row(locked).count(), 0)
  await page.getByText('Include locked', { exact: true }).click()
  await row(locked).waitFor()
  await checkPage(page, 'list-chips')
  await page.getByText('Blocked', { exact: true }).click()
  await row(allowed).waitFor({ state: 'detached' })
  await row(blocked).waitFor()
  // In a narrow column the word is not seen, but it is there to be heard.
  await page.getByText('No access').first().waitFor({ state: 'attached' })
})

test('the width of a column stays', async () => {
  await page.goto('/accounts')
  await page.getByRole('button', { name: 'Columns' }).click()
  await page.getByLabel('Width of Username').fill('240')
  await page.getByLabel('Width of Username').press('Tab')
  await page.keyboard.press('Escape')
  await page.reload()
  await page.getByRole('button', { name: 'Columns' }).click()
  await page.getByLabel('Width of Username').and(page.locator('[value="240"]')).waitFor()
  await page.getByRole('button', { name: 'Reset columns' }).click()
  await page.keyboard.press('Escape')
})

test('by mouse: a column is dragged wider, fitted by a double click, and changes places', async () => {
  const made = await createAccount({ name: 'Pat' })
  const shown = () => page.getByRole('link', { name: made.username, exact: true }).waitFor()
  await page.goto(`/accounts?find=${made.username}`)
  await shown()
  const heading = (name) => page.getByRole('columnheader', { name })
  const widthOf = async (name) => (await heading(name).boundingBox()).width
  const grip = async (name) => {
    const box = await heading(name).boundingBox()
    return { x: box.x + box.width - 5, y: box.y + box.height / 2 }
  }
  const before = await widthOf(/^Name/)
  const at = await grip(/^Name/)
  await page.mouse.move(at.x, at.y)
  await page.mouse.down()
  await page.mouse.move(at.x + 120, at.y, { steps: 6 })
  await page.mouse.up()
  const wide = await widthOf(/^Name/)
  assert.ok(Math.abs(wide - before - 120) < 6, `${before} became ${wide}`)
  await page.reload()
  await shown()
  assert.ok(Math.abs((await widthOf(/^Name/)) - wide) < 6, 'the width is not kept')
  const fit = await grip(/^Name/)
  await page.mouse.dblclick(fit.x, fit.y)
  await page.waitForFunction(
    (wide) =>
      [...document.querySelectorAll('th')].some((th) => th.dataset.field === 'name' && th.offsetWidth < wide - 20),
    wide,
  )
  const order = () => page.locator('thead th[data-field]').evaluateAll((all) => all.map((th) => th.dataset.field))
  const names = await order()
  await heading(/^Email/).dragTo(heading(/^Name/))
  const after = await order()
  assert.equal(after.indexOf('email'), names.indexOf('name'))
  assert.equal(after.indexOf('name'), names.indexOf('name') + 1)
  await page.getByRole('button', { name: 'Columns' }).click()
  await page.getByRole('button', { name: 'Reset columns' }).click()
  await page.keyboard.press('Escape')
})

test('ticks: the first moves no row, shift takes a range; checkbox and username stay in view', async () => {
  const stem = uniqueName('tick')
  for (const n of [1, 2, 3, 4])
    await createAccount({ username: `${stem}${n}`, name: n === 4 ? 'محمد عبد الرحمن '.repeat(4).trim() : 'Pat' })
  await page.goto(`/accounts?find=${stem}&sort=username`)
  const box = (n) => page.locator('tr', { hasText: `${stem}${n}` }).getByRole('checkbox')
  await box(4).waitFor()
  const top = (await box(2).boundingBox()).y
  await box(1).click()
  await page.getByText('1 selected').waitFor()
  assert.equal((await box(2).boundingBox()).y, top)
  await box(3).click({ modifiers: ['Shift'] })
  await page.getByText('3 selected').waitFor()
  await checkPage(page, 'list-selected')
  await page.getByRole('button', { name: 'Clear', exact: true }).click()
  const grid = page.getByRole('region', { name: 'User accounts' })
  await grid.evaluate((g) => g.scrollTo({ left: 5000 }))
  const edge = await grid.boundingBox()
  assert.ok((await box(1).boundingBox()).x - edge.x < 40)
  const link = page.getByRole('link', { name: `${stem}1`, exact: true })
  assert.ok((await link.boundingBox()).x - edge.x < 120, 'the username scrolled away')
  await screenshot(page, 'list-scrolled')
  // A name written from the right begins at the right of its cell.
  const direction = await page
    .locator('tr', { hasText: `${stem}4` })
    .locator('[data-field=name]')
    .evaluate((td) => getComputedStyle(td).direction)
  assert.equal(direction, 'rtl')
})

test('back from an account the list is where it was, with the focus on its row', async () => {
  const { stem } = await manyAccounts()
  await page.goto(`/accounts?find=${stem}&sort=username`)
  await page.getByText('100 shown').waitFor()
  const grid = page.getByRole('region', { name: 'User accounts' })
  const seen = page.getByRole('link', { name: `${stem}00070`, exact: true })
  await seen.scrollIntoViewIfNeeded()
  const top = await grid.evaluate((g) => g.scrollTop)
  assert.ok(top > 0)
  await seen.click()
  await page.getByRole('heading', { level: 1, name: 'Crowd 00070' }).waitFor()
  await page.getByRole('main').getByRole('link', { name: 'User accounts' }).click()
  await page.locator(`a:focus`, { hasText: `${stem}00070` }).waitFor()
  assert.ok(Math.abs((await grid.evaluate((g) => g.scrollTop)) - top) < 50)
  await page.getByText(`Search: “${stem}”`).waitFor()
})

test('a slash goes to the search; another page begins at its beginning, and is named', async () => {
  await page.goto('/accounts')
  await page.getByRole('link', { name: 'admin', exact: true }).waitFor()
  await page.getByRole('heading', { name: 'User accounts' }).click()
  await page.keyboard.press('/')
  await page.locator('input:focus[type=search]').waitFor()
  await page.keyboard.type('a/b')
  assert.equal(await find().inputValue(), 'a/b') // within a text a slash is a slash
  await page.getByText('No matching accounts').waitFor()
  await find().fill('')
  await page.getByText('No matching accounts').waitFor({ state: 'hidden' })
  await page.getByRole('link', { name: 'admin', exact: true }).click()
  await page.getByRole('heading', { level: 1, name: 'Administrator' }).waitFor()
  await page.waitForFunction(() => document.title.startsWith('Administrator'))
  await page.locator('main:focus').waitFor()
  // A tab is part of its page: what is begun there stays.
  await page.getByRole('button', { name: 'Edit', exact: true }).click()
  await page.getByRole('tab', { name: 'Delegation' }).click()
  await page.getByText('No delegations').waitFor()
  await page.getByRole('button', { name: 'Cancel', exact: true }).click()
})

test('a search that was typed last calls nobody back who went on meanwhile', async () => {
  const other = await open(browser, origin, { storageState })
  await other.page.goto('/accounts')
  const admin = other.page.getByRole('link', { name: 'admin', exact: true })
  await admin.waitFor()
  // The page of an account comes late, and the search is taken up before it does.
  let release
  const late = new Promise((resolve) => (release = resolve))
  await other.page.route(/\/assets\/.*\.js$/, async (route) => {
    await late
    await route.continue()
  })
  const code = other.page.waitForRequest(/\/assets\/.*\.js$/)
  await find(other.page).fill('nobody')
  await admin.click()
  await code
  await other.page.evaluate(() => new Promise((resolve) => setTimeout(resolve, 400))) // the search waits for 300 ms
  release()
  await other.page.getByRole('heading', { level: 1, name: 'Administrator' }).waitFor()
  await other.context.close()
})

test('on a small screen the filters are in a drawer', async () => {
  const small = await open(browser, origin, { viewport: narrow, storageState })
  await small.page.goto('/accounts')
  await small.page.getByRole('link', { name: 'admin', exact: true }).waitFor()
  await checkPage(small.page, 'accounts-narrow-light')
  await small.page.getByRole('button', { name: /^Filters/ }).click()
  const drawer = small.page.getByRole('dialog', { name: 'Filters' })
  await drawer.getByRole('button', { name: 'User type', exact: true }).click()
  await drawer.getByRole('checkbox', { name: /TEAM/ }).check()
  await checkPage(small.page, 'filters-narrow-light')
  await drawer.getByRole('button', { name: 'Apply' }).click()
  await drawer.getByRole('button', { name: /User type is TEAM/ }).waitFor()
  await drawer.getByRole('button', { name: 'Show' }).click()
  await small.page.getByText('User type is TEAM').waitFor()
  await small.page.getByRole('button', { name: 'Filters, 1 active' }).waitFor()
  const over = await small.page.evaluate(
    () => document.documentElement.scrollWidth - document.documentElement.clientWidth,
  )
  assert.equal(over, 0, 'the page is wider than the screen')
  assert.deepEqual(small.pageErrors, [])
  await small.context.close()
})

test('an account and its tabs on a small dark screen', async () => {
  const made = await createAccount({ userType: 'TEAM', roles: ['VIEWER'] })
  await call(
    'PUT',
    `/api/accounts/${made.id}/contact`,
    {
      firstName: 'Pat',
      phones: [{ type: 'mobile', value: '07700 900456' }],
      addresses: [{ type: 'home', address: '1 High Street', country: 'GB' }],
    },
    { 'If-Match': '"1"' },
  )
  await call('POST', `/api/accounts/${made.id}/notes`, { text: 'Called about the new phone.' })
  const small = await open(browser, origin, { viewport: { ...narrow, height: 1700 }, dark: true, storageState })
  const see = async (tab, what, name) => {
    await small.page.goto(`/accounts/${made.id}/${tab}`)
    await what().waitFor()
    await checkPage(small.page, `${name}-narrow-dark`)
    assert.equal(
      await small.page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth),
      0,
      `${name} is wider than the screen`,
    )
  }
  await see('log', () => small.page.getByText('Called about the new phone.'), 'log')
  await see('contact', () => small.page.getByLabel('Phone numbers 1', { exact: true }), 'contact')
  await see('permissions', () => small.page.getByText('VIEWER: assigned directly').first(), 'permissions')
  await small.page.getByRole('button', { name: 'Select', exact: true }).click()
  await small.page.getByRole('option', { name: /EDITOR/ }).waitFor()
  await small.page.getByRole('option', { name: /VIEWER/ }).dblclick()
  await small.page.getByRole('list', { name: 'Permissions lost' }).waitFor()
  await checkPage(small.page, 'select-roles-narrow-dark')
  await small.context.close()
})

test('five thousand accounts: pages by cursor, few rows drawn, counted when asked', async () => {
  const { stem, many } = await manyAccounts()
  const asked = []
  page.on('request', (r) => {
    if (/\/api\/accounts(\/count)?\?/.test(r.url())) asked.push(r.url())
  })
  await page.goto(`/accounts?find=${stem}`)
  await page.getByText('100 shown').waitFor()
  assert.ok(!asked.some((url) => url.includes('/count')), 'the count was read unasked')
  await page.getByRole('button', { name: 'Count all' }).click()
  await page.getByText(`100 shown of ${many.toLocaleString('en-GB')}`).waitFor()
  const grid = page.getByRole('region', { name: 'User accounts' })
  for (let shown = 200; shown <= 800; shown += 100) {
    await grid.evaluate((box) => {
      box.scrollTop = box.scrollHeight
    })
    await page.getByText(`${shown} shown`).waitFor()
  }
  assert.ok(asked.filter((url) => url.includes('cursor=')).length >= 7)
  const drawn = await grid.getByRole('checkbox').count()
  assert.ok(drawn < 130, `${drawn} rows are drawn`)
  // From a row in the middle one gets on by keyboard, and picking stays while it is out of sight.
  await grid.getByRole('checkbox').nth(10).check()
  await grid.evaluate((box) => {
    box.scrollTop = 0
  })
  await grid.getByRole('checkbox', { name: 'Select all rows shown' }).waitFor()
  await page.getByText('1 selected').waitFor()
  await checkPage(page, 'accounts-many')
})

test('nothing broke the policy, asked another origin or failed in the page', () => assert.deepEqual(pageErrors, []))
