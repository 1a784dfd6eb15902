// A working day by keyboard alone: no click and no fill. Every focused element has a name and shows its focus.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { findChromium, launch, open } from './browser.mjs'
import { createAccount, administrator, call, origin } from './system.mjs'

let browser, page, pageErrors
before(async () => {
  browser = await launch(findChromium())
  ;({ page, pageErrors } = await open(browser, origin))
})
after(() => browser.close())

const press = (...keys) => keys.reduce((done, key) => done.then(() => page.keyboard.press(key)), Promise.resolve())

/** The role and name of the focused element, as screen readers read them. */
const focusedElement = async () => {
  const silent = await page.evaluate(() => {
    document.querySelector('[data-at]')?.removeAttribute('data-at')
    document.activeElement.setAttribute('data-at', '') // as the parts of a date are no element of the page
    return document.activeElement.getAttribute('role') === 'presentation'
  })
  if (silent) return { role: 'presentation', name: 'where a menu begins' }
  const said = /^- '?(\w+)(?: "((?:[^"\\]|\\.)*)")?/.exec(await page.locator('[data-at]').ariaSnapshot())
  return { role: said?.[1] ?? '', name: said?.[2] ?? '' }
}

/** The look of the focused element, or of the one before it. */
const focusStyle = (of) =>
  page.evaluate((now) => {
    const at = now ? (window.stop = document.activeElement) : window.stop
    for (const moving of document.getAnimations()) if (moving instanceof CSSTransition) moving.finish()
    const look = (e) =>
      ['outline', 'boxShadow', 'borderColor', 'backgroundColor'].map((p) => getComputedStyle(e)[p]).join()
    const left = now || at !== document.activeElement // a date has several stops within it
    return at.isConnected && left ? look(at) + look(at.parentElement) : undefined
  }, of === 'now')

/** Roles that are focused for screen readers only, not controls. */
const containers = ['main', 'region', 'presentation']

/** Presses a key until the focus is on the element with this role and name. Each stop must have a name and show it. */
async function reach(role, name, key = 'Tab') {
  const passed = []
  for (let i = 0; i < 150; i++) {
    const body = await page.evaluate(() => document.activeElement === document.body)
    const at = body ? { role: 'document', name: 'page' } : await focusedElement()
    if (at.role === role && (name instanceof RegExp ? name.test(at.name) : name === at.name)) return
    passed.push(`${at.role} ${at.name}`)
    if (!body && at.role !== 'main')
      assert.notEqual(
        at.name,
        '',
        `what has the focus after ${passed.slice(-3).join(', ')} has no name: ${await page.evaluate(() => document.activeElement?.outerHTML.slice(0, 200))}`,
      )
    const focused = body ? undefined : await focusStyle('now')
    await page.keyboard.press(key)
    const left = body ? undefined : await focusStyle('before')
    if (focused !== undefined && left !== undefined && !containers.includes(at.role))
      assert.notEqual(left, focused, `the focus on ${at.role} ${at.name} is not seen`)
  }
  assert.fail(`${role} ${name} is not reached: ${passed.join('; ')}`)
}
const openMenu = async () => {
  await press('Enter')
  await page.waitForFunction(() => document.activeElement?.closest('[role=menu]'))
}
const type = (text) => page.keyboard.type(text)

test('sign in, find, sort, filter, open, edit, act, turn to the tabs and sign out, by the keyboard alone', async () => {
  const made = await createAccount({ name: 'Kay Board' })
  await page.goto('/')
  await page.getByRole('heading', { name: 'Sign in' }).waitFor()
  await reach('textbox', /Username or email/)
  await type(administrator.username)
  await reach('textbox', /^Password/)
  await type(administrator.password)
  await press('Enter')
  await page.getByRole('navigation').waitFor()

  await reach('link', 'User accounts')
  await press('Enter')
  await page.getByRole('heading', { level: 1, name: 'User accounts' }).waitFor()
  await press('/')
  await type(made.username)
  await page.getByRole('link', { name: made.username, exact: true }).waitFor()

  await reach('button', 'Name')
  await press('Enter')
  await page.getByRole('columnheader', { name: /^Name/ }).and(page.locator('[aria-sort=ascending]')).waitFor()
  await reach('button', 'Filter by Name')
  await press('Enter')
  await reach('textbox', 'Name contains')
  await type('Board')
  await press('Enter')
  await page.getByText('Name contains “Board”').waitFor()
  await reach('link', made.username)
  await press('Enter')
  await page.getByRole('heading', { level: 1, name: 'Kay Board' }).waitFor()

  await reach('button', 'Edit')
  await press('Enter')
  await page.waitForFunction(() => document.activeElement?.tagName === 'SECTION')
  await reach('textbox', /^Mobile/)
  await type('07700 900321')
  await reach('button', 'Save')
  await press('Enter')
  await page.waitForFunction(() => document.activeElement?.textContent === 'Edit')
  assert.equal((await call('GET', `/api/accounts/${made.id}`)).mobile, '07700 900321')

  // A dialog takes the focus, keeps it, and gives it back, also where its code comes when the menu is long gone.
  await page.route(/LockDialog/, (route) => setTimeout(() => route.continue(), 400))
  await reach('button', 'More actions')
  await openMenu()
  await reach('menuitem', 'Lock', 'ArrowDown')
  await press('Enter')
  const dialog = page.getByRole('dialog')
  await dialog.waitFor()
  for (let i = 0; i < 8; i++) {
    await press('Tab')
    assert.equal(
      await page.evaluate(() => document.activeElement?.closest('[role=dialog]') !== null),
      true,
      'the focus left the dialog',
    )
  }
  await press('Escape')
  await dialog.waitFor({ state: 'hidden' })
  await page.waitForFunction(() => document.activeElement?.getAttribute('aria-label') === 'More actions')

  await reach('tab', 'Permissions')
  await press('ArrowRight', 'ArrowRight')
  await reach('tab', 'Sessions')
  await page.getByRole('tabpanel', { name: 'Sessions' }).waitFor()

  await reach('button', /your account/, 'Shift+Tab')
  await openMenu()
  await reach('menuitem', 'Sign out', 'ArrowDown')
  await press('Enter')
  await page.getByRole('heading', { name: 'Sign in' }).waitFor()
  assert.deepEqual(pageErrors, [])
})
